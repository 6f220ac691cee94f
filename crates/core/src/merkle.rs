//! The Merkle log of RFC 6962, section 2.1: leaves are hashed behind 0x00, nodes behind 0x01.

use aws_lc_rs::digest::{Context, SHA256};

/// A hash of a leaf, node or tree.
pub(crate) type Hash = [u8; 32];

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> [u8; 32] {
    hash(&[&[0], leaf])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// What must be remembered of a tree to append to it and to know its root: the roots of the perfect subtrees that it
/// consists of, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what [`Frontier::to_text`] wrote; `None` if it does not fit the size.
    pub fn parse(size: u64, text: &str) -> Option<Self> {
        let parts = text.split('.').filter(|part| !part.is_empty());
        let roots = parts
            .map(|part| hex::decode(part).ok()?.try_into().ok())
            .collect::<Option<Vec<Hash>>>()?;
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// The subtrees' roots as hex, joined by dots.
    pub fn to_text(&self) -> String {
        self.roots
            .iter()
            .map(hex::encode)
            .collect::<Vec<_>>()
            .join(".")
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf: [u8; 32]) {
        let mut node = leaf;
        // Each trailing one of the size is a perfect subtree that the new leaf completes to the next larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root of the tree; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> [u8; 32] {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else {
            return hash(&[]);
        };
        roots.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, by recursion.
    fn defined(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => hash(&[]),
            [leaf] => leaf_hash(leaf),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let leaves: Vec<Vec<u8>> = (0..70_u8)
            .map(|number| vec![number; usize::from(number)])
            .collect();
        let mut frontier = Frontier::new();
        for (size, leaf) in leaves.iter().enumerate() {
            assert_eq!(
                frontier.root(),
                defined(leaves.get(..size).unwrap_or_default())
            );
            let again = Frontier::parse(frontier.size(), &frontier.to_text());
            assert_eq!(again.as_ref(), Some(&frontier));
            frontier.append(leaf_hash(leaf));
        }
        assert_eq!(Frontier::parse(3, "00"), None);
    }

    #[test]
    fn the_empty_tree_and_the_empty_leaf_are_those_of_the_rfc() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(Frontier::new().root()), empty);
        let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex::encode(leaf_hash(b"")), leaf);
    }
}
