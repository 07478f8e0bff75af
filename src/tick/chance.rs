//! A node's source of randomness, which its application provides.

/// A source of random numbers that the application injects.
///
/// The core draws one number per change of role or term, for its election timeout (Raft §5.2), and
/// nothing else. With a seeded source, a run is a function of the seed. Any closure of this shape
/// is a source:
///
/// ```
/// use raftlab::tick::Chance;
/// fn draw(chance: &mut dyn Chance) -> u32 {
///     chance.below(10)
/// }
/// assert_eq!(draw(&mut |bound| bound - 1), 9);
/// ```
pub trait Chance: Send {
    /// Draws a number in `0..bound`, each as likely as any other. `bound` is never 0.
    fn below(&mut self, bound: u32) -> u32;
}

impl<F: FnMut(u32) -> u32 + Send> Chance for F {
    fn below(&mut self, bound: u32) -> u32 {
        self(bound)
    }
}
