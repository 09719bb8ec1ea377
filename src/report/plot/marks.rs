//! What stands at points of a figure, and where its corners are.

/// What stands at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A filled circle.
    Circle,
    /// A filled square.
    Square,
    /// A filled square on its corner.
    Diamond,
    /// A filled triangle that points up.
    Up,
    /// A filled triangle that points down.
    Down,
    /// A circle with a white inside.
    Ring,
    /// A square with a white inside.
    OpenSquare,
    /// A square on its corner with a white inside.
    OpenDiamond,
    /// A triangle that points up, with a white inside.
    OpenUp,
    /// A triangle that points down, with a white inside.
    OpenDown,
    /// A cross.
    Cross,
    /// An upright cross.
    Plus,
    /// The outline of a circle, through which others are seen; so of all whose names begin alike.
    ClearCircle,
    /// The outline of a square.
    ClearSquare,
    /// The outline of a square on its corner.
    ClearDiamond,
    /// The outline of a triangle that points up.
    ClearUp,
    /// The outline of a triangle that points down.
    ClearDown,
}

impl Mark {
    /// The filled mark of the same outline, if this one has a white inside.
    pub(super) fn filled(self) -> Option<Mark> {
        match self {
            Mark::Ring => Some(Mark::Circle),
            Mark::OpenSquare => Some(Mark::Square),
            Mark::OpenDiamond => Some(Mark::Diamond),
            Mark::OpenUp => Some(Mark::Up),
            Mark::OpenDown => Some(Mark::Down),
            _ => None,
        }
    }

    /// The filled mark of the same outline, if this one is its outline alone.
    pub(super) fn outlined(self) -> Option<Mark> {
        match self {
            Mark::ClearCircle => Some(Mark::Circle),
            Mark::ClearSquare => Some(Mark::Square),
            Mark::ClearDiamond => Some(Mark::Diamond),
            Mark::ClearUp => Some(Mark::Up),
            Mark::ClearDown => Some(Mark::Down),
            _ => None,
        }
    }
}

/// Half the width of a square mark, in radii.
pub(super) const SQUARE: f64 = 0.88;
/// How wide the line of a mark is that is an outline alone.
pub(super) const OUTLINE: f64 = 2.5;

/// Where the corners of a filled mark lie, in radii right and down; round ones have none.
pub(super) fn corners(mark: Mark) -> Option<&'static [(f64, f64)]> {
    match mark {
        Mark::Square => Some(&[
            (-SQUARE, -SQUARE),
            (SQUARE, -SQUARE),
            (SQUARE, SQUARE),
            (-SQUARE, SQUARE),
        ]),
        Mark::Diamond => Some(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
        Mark::Up => Some(&[(0.0, -1.3), (1.2, 0.8), (-1.2, 0.8)]),
        Mark::Down => Some(&[(0.0, 1.3), (1.2, -0.8), (-1.2, -0.8)]),
        _ => None,
    }
}
