//! Where keys are written.
use std::cell::Cell;

/// Larger buffers are not kept.
const LARGEST_KEPT: usize = 64 * 1024;

thread_local! {
    /// What is written is hashed and forgotten: its room stays for the next key.
    static ROOM: Cell<Room> = const { Cell::new(Room::NONE) };
}

/// Buffers for one key.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) out: Vec<u8>,
    /// Members of the objects that are open.
    pub(super) members: Vec<Segment>,
    /// The order of the request's own members.
    pub(super) order: Vec<usize>,
    /// For members that are put in order.
    pub(super) sorted: Vec<u8>,
}

/// A member of an object in the canonical form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) start: usize,
    pub(super) key_end: usize,
    pub(super) end: usize,
}

impl Room {
    const NONE: Self =
        Self { out: Vec::new(), members: Vec::new(), order: Vec::new(), sorted: Vec::new() };

    /// The thread's, emptied.
    pub(super) fn take() -> Self {
        let mut room = ROOM.take();
        room.out.clear();
        // A walk that found a fault has left some.
        room.members.clear();
        room
    }

    /// Gives it back to the thread, if it is not too large for that.
    pub(super) fn leave(self) {
        if self.out.capacity().max(self.sorted.capacity()) <= LARGEST_KEPT
            && self.members.capacity() <= LARGEST_KEPT / size_of::<Segment>()
            && self.order.capacity() <= LARGEST_KEPT / size_of::<usize>()
        {
            ROOM.set(self);
        }
    }
}
