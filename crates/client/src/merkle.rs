//! The Merkle log of RFC 6962, as those read it who hold proofs: nothing here trusts a server.

use aws_lc_rs::digest::{Context, SHA256};

/// A hash of a leaf, node or tree.
pub type Hash = [u8; 32];

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
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

/// The root that a proof leads to from leaf `index`, counted from 0, in a tree of `size` leaves (RFC 9162, section
/// 2.1.3.2). `None` if the proof has not the right length.
pub fn inclusion_root(leaf: Hash, (index, size): (u64, u64), proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut place, mut last, mut node) = (index, size - 1, leaf);
    for other in proof {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            node = node_hash(other, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, other);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

/// Whether the tree of `new` leaves with the second root continues that of `old` leaves with the first (RFC 9162, section
/// 2.1.4.2).
pub fn is_consistent(
    (old, old_root): (u64, Hash),
    (new, new_root): (u64, Hash),
    proof: &[Hash],
) -> bool {
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 || old > new {
        return false;
    }
    let mut path: Vec<Hash> = Vec::with_capacity(proof.len() + 1);
    if old.is_power_of_two() {
        path.push(old_root);
    }
    path.extend_from_slice(proof);
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let mut path = path.iter();
    let Some(first) = path.next() else {
        return false;
    };
    let (mut to_old, mut to_new) = (*first, *first);
    for other in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            to_old = node_hash(other, &to_old);
            to_new = node_hash(other, &to_new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            to_new = node_hash(&to_new, other);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && to_old == old_root && to_new == new_root
}

/// A tree that grows leaf by leaf: the roots of the perfect subtrees that it consists of, largest first.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    size: u64,
    roots: Vec<Hash>,
}

impl Tree {
    /// A tree of `size` leaves that consists of these subtrees; `None` if they do not fit the size.
    pub fn of(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// Its root.
    pub fn root(&self) -> Hash {
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

    fn leaf(number: u64) -> Hash {
        leaf_hash(&number.to_be_bytes())
    }

    fn root((start, end): (u64, u64)) -> Hash {
        if end - start == 1 {
            return leaf(start);
        }
        let split = (end - start).next_power_of_two() / 2;
        let middle = start + split;
        node_hash(&root((start, middle)), &root((middle, end)))
    }

    fn path(index: u64, (start, end): (u64, u64)) -> Vec<Hash> {
        if end - start == 1 {
            return Vec::new();
        }
        let middle = start + (end - start).next_power_of_two() / 2;
        let (mut path, other) = if index < middle {
            (path(index, (start, middle)), (middle, end))
        } else {
            (path(index, (middle, end)), (start, middle))
        };
        path.push(root(other));
        path
    }

    fn between(old: u64, (start, end): (u64, u64), is_whole: bool) -> Vec<Hash> {
        if old == end {
            return if is_whole {
                Vec::new()
            } else {
                vec![root((start, end))]
            };
        }
        let middle = start + (end - start).next_power_of_two() / 2;
        let (mut path, other) = if old <= middle {
            (between(old, (start, middle), is_whole), (middle, end))
        } else {
            (between(old, (middle, end), false), (start, middle))
        };
        path.push(root(other));
        path
    }

    #[test]
    fn proofs_of_the_definition_are_good_and_others_are_not() {
        let mut tree = Tree::default();
        for size in 1..=33_u64 {
            tree.append(leaf(size - 1));
            assert_eq!(tree.root(), root((0, size)));
            for index in 0..size {
                let proof = path(index, (0, size));
                let led = inclusion_root(leaf(index), (index, size), &proof);
                assert_eq!(led, Some(tree.root()));
                assert_ne!(inclusion_root(leaf(99), (index, size), &proof), led);
                let mut longer = proof.clone();
                longer.push([0; 32]);
                assert_eq!(inclusion_root(leaf(index), (index, size), &longer), None);
            }
            for old in 1..size {
                let proof = between(old, (0, size), true);
                let (old, new) = ((old, root((0, old))), (size, tree.root()));
                assert!(is_consistent(old, new, &proof), "{old:?} {size}");
                assert!(!is_consistent((old.0, [1; 32]), new, &proof));
                assert!(!is_consistent(old, (size, [1; 32]), &proof));
            }
        }
    }
}
