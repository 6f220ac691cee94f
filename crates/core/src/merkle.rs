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
        self.append_telling(leaf, |_, _, _| {});
    }

    /// The same, telling of each perfect subtree that the leaf completes: its level, its place among those, its root.
    pub(crate) fn append_telling(&mut self, leaf: Hash, mut tell: impl FnMut(u32, u64, &Hash)) {
        let mut node = leaf;
        // Each trailing one of the size is a perfect subtree that the new leaf completes to the next larger one.
        for level in 1..=self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
                tell(level, self.size >> level, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root of the tree; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> [u8; 32] {
        folded(&self.roots)
    }
}

/// The root of a tree that consists of perfect subtrees with these roots, largest first.
pub(crate) fn folded(roots: &[Hash]) -> Hash {
    let mut roots = roots.iter().rev();
    let Some(last) = roots.next() else {
        return hash(&[]);
    };
    roots.fold(*last, |right, left| node_hash(left, &right))
}

/// Leaves from the first number up to, and without, the second.
pub(crate) type Stretch = (u64, u64);

/// Where a tree of `size` leaves is split: the largest power of two below it.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size.max(2) - 1).leading_zeros())
}

/// The stretches whose roots prove that leaf `index` (from 0) is in the tree of `size` leaves, in the order of the proof.
pub(crate) fn inclusion(index: u64, size: u64) -> Vec<Stretch> {
    let ((mut start, mut end), mut stretches) = ((0, size), Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            stretches.push((middle, end));
            end = middle;
        } else {
            stretches.push((start, middle));
            start = middle;
        }
    }
    stretches.reverse();
    stretches
}

/// The stretches whose roots prove that the tree of `old` leaves is the beginning of that of `size`.
pub(crate) fn consistency(old: u64, size: u64) -> Vec<Stretch> {
    let ((mut start, mut end), mut stretches) = ((0, size), Vec::new());
    if old == 0 || old >= size {
        return stretches;
    }
    let mut is_whole = true;
    while old < end {
        let middle = start + split(end - start);
        if old <= middle {
            stretches.push((middle, end));
            end = middle;
        } else {
            stretches.push((start, middle));
            start = middle;
            is_whole = false;
        }
    }
    if !is_whole {
        stretches.push((start, end));
    }
    stretches.reverse();
    stretches
}

/// The perfect subtrees that a stretch consists of, largest first: level and place.
pub(crate) fn subtrees((start, end): Stretch) -> Vec<(u32, u64)> {
    let mut found = Vec::new();
    let mut at = start;
    while at < end {
        let level = (u64::BITS - 1 - (end - at).leading_zeros()).min(at.trailing_zeros());
        found.push((level, at >> level));
        at += 1 << level;
    }
    found
}

/// The root that a proof of inclusion leads to; `None` if it has not the right length.
pub(crate) fn led_to(leaf: Hash, (index, size): (u64, u64), proof: &[Hash]) -> Option<Hash> {
    let stretches = inclusion(index, size);
    if stretches.len() != proof.len() || index >= size {
        return None;
    }
    let steps = stretches.iter().zip(proof);
    Some(steps.fold(leaf, |node, ((start, _), other)| {
        if *start > index {
            node_hash(&node, other)
        } else {
            node_hash(other, &node)
        }
    }))
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

    fn root_of(leaves: &[Vec<u8>], (start, end): Stretch) -> Hash {
        defined(leaves.get(start as usize..end as usize).unwrap_or_default())
    }

    #[test]
    fn every_leaf_is_proven_at_every_size() {
        let leaves: Vec<Vec<u8>> = (0..40_u8).map(|number| vec![number]).collect();
        for size in 1..=40_u64 {
            let whole = root_of(&leaves, (0, size));
            for index in 0..size {
                let proof: Vec<Hash> = inclusion(index, size)
                    .into_iter()
                    .map(|stretch| root_of(&leaves, stretch))
                    .collect();
                let leaf = root_of(&leaves, (index, index + 1));
                assert_eq!(led_to(leaf, (index, size), &proof), Some(whole));
                let mut short = proof.clone();
                if short.pop().is_some() {
                    assert_eq!(led_to(leaf, (index, size), &short), None);
                }
            }
        }
    }

    #[test]
    fn a_stretch_is_the_sum_of_its_subtrees() {
        let leaves: Vec<Vec<u8>> = (0..40_u8).map(|number| vec![number]).collect();
        for size in 1..=40_u64 {
            let all = (0..size).flat_map(|index| inclusion(index, size));
            let more = (1..size).flat_map(|old| consistency(old, size));
            for stretch in all.chain(more) {
                let roots: Vec<Hash> = subtrees(stretch)
                    .into_iter()
                    .map(|(level, at)| root_of(&leaves, (at << level, (at + 1) << level)))
                    .collect();
                assert_eq!(folded(&roots), root_of(&leaves, stretch));
            }
        }
    }

    #[test]
    fn subtrees_are_told_as_they_are_completed() {
        let mut frontier = Frontier::new();
        let mut told = Vec::new();
        for number in 0..6_u8 {
            frontier.append_telling([number; 32], |level, at, _| told.push((level, at)));
        }
        assert_eq!(told, [(1, 0), (1, 1), (2, 0), (1, 2)]);
    }

    #[test]
    fn the_empty_tree_and_the_empty_leaf_are_those_of_the_rfc() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(Frontier::new().root()), empty);
        let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex::encode(leaf_hash(b"")), leaf);
    }
}
