/// Runs an expression over a text. One matcher serves one search for the next match.
struct ExpressionMatcher {
  private struct Frame {
    let pc: Int32
    /// Where to go on, and for runs the least place that they may give back to; −1 for others.
    var position: Int
    let least: Int
  }

  private let expression: SplitExpression
  private let view: TextView
  private let lower: Int
  private let upper: Int
  private var frames: [Frame] = []
  /// Bit `(position − lower) · instructions + pc`: known to fail. Empty until `steps` passes
  /// `patience`.
  private var failed: [UInt64] = []
  private var steps = 0

  /// `lower..<upper`: the text that the expression sees; it may begin before the search.
  init(_ expression: SplitExpression, _ view: TextView, lower: Int, upper: Int) {
    self.expression = expression
    self.view = view
    self.lower = lower
    self.upper = upper
  }

  /// The first match that begins at `start` or later, or nil.
  mutating func firstMatch(from start: Int) -> Range<Int>? {
    var offset = start
    while true {
      if let end = match(at: 0, from: offset) { return offset..<end }
      guard offset < upper else { return nil }
      offset += view.scalar(at: offset).length
    }
  }

  /// Steps after which failures are remembered: what the memory for it costs to clear.
  private var patience: Int { 2_000 + (upper - lower) * expression.program.count / 16 }

  private func slot(_ pc: Int, _ position: Int) -> Int {
    (position - lower) * expression.program.count + pc
  }

  /// Whether the place failed before; from now on it counts as failed, since it is being tried.
  private mutating func isKnownToFail(_ pc: Int, _ position: Int) -> Bool {
    let slot = slot(pc, position)
    let bit: UInt64 = 1 << UInt64(slot % 64)
    if failed[slot / 64] & bit != 0 { return true }
    failed[slot / 64] |= bit
    return false
  }

  /// The end of the body of a look-around or of an atomic group. What fails there says nothing of
  /// the whole, so that it has a memory of its own.
  private func end(ofBodyAt pc: Int, from start: Int) -> Int? {
    var inner = ExpressionMatcher(expression, view, lower: lower, upper: upper)
    return inner.match(at: pc, from: start)
  }

  /// The end of the match of the program from `pc` on, or nil.
  private mutating func match(at pc: Int, from start: Int) -> Int? {
    frames.removeAll(keepingCapacity: true)
    var pc = pc
    var position = start
    let sets = expression.sets
    let program = expression.program
    while true {
      steps += 1
      if failed.isEmpty, steps > patience {
        failed = [UInt64](repeating: 0, count: slot(0, upper + 1) / 64 + 1)
      }
      var holds = true
      switch program[pc] {
      case .accept: return position
      case .jump(let target): pc = Int(target)
      case .one(let set):
        if position < upper {
          let (scalar, length) = view.scalar(at: position)
          holds = sets[Int(set)].contains(scalar)
          position += length
          pc += 1
        } else {
          holds = false
        }
      case .run(let set, let atLeast, let atMost, let keeps):
        let low = position
        let least = takeRun(
          sets[Int(set)], pc, atLeast, atMost, keeps: keeps, &position)
        holds = least != nil
        if let least, !keeps, position > least, position > low {
          frames.append(Frame(pc: Int32(pc + 1), position: position, least: least))
        }
        pc += 1
      case .either(let first, let second):
        if !failed.isEmpty, isKnownToFail(pc, position) {
          holds = false
        } else {
          frames.append(Frame(pc: second, position: position, least: -1))
          pc = Int(first)
        }
      case .look(let rest, let negated):
        holds = (end(ofBodyAt: pc + 1, from: position) != nil) != negated
        pc = Int(rest)
      case .lookBehind(let set, let negated):
        let found = position > lower && sets[Int(set)].contains(scalar(before: position))
        holds = found != negated
        pc += 1
      case .atomic(let rest):
        if let end = end(ofBodyAt: pc + 1, from: position) {
          position = end
          pc = Int(rest)
        } else {
          holds = false
        }
      case .assertion(let assertion):
        holds = isTrue(assertion, at: position)
        pc += 1
      }
      if holds { continue }
      guard let (nextPC, nextPosition) = backtrack() else { return nil }
      pc = nextPC
      position = nextPosition
    }
  }

  /// Moves `position` over the run and gives the least place that the run may end at; nil where it
  /// is too short.
  private mutating func takeRun(
    _ set: ScalarSet, _ pc: Int, _ atLeast: Int, _ atMost: Int, keeps: Bool,
    _ position: inout Int
  ) -> Int? {
    var taken = 0
    var least = position
    // An unbounded run that has what it needs is the same wherever it began.
    let isSame = atLeast <= 1 && atMost == .max && !failed.isEmpty
    while position < upper, taken < atMost {
      let (scalar, length) = view.scalar(at: position)
      guard set.contains(scalar) else { break }
      if isSame, taken >= atLeast, isKnownToFail(pc, position) {
        // From here on all ends of the run failed before; those in front are left.
        guard taken > atLeast, !keeps else { return nil }
        position = before(position)
        return least
      }
      position += length
      taken += 1
      if taken == atLeast { least = position }
      steps += 1
    }
    return taken >= atLeast ? least : nil
  }

  private mutating func backtrack() -> (Int, Int)? {
    guard var frame = frames.popLast() else { return nil }
    guard frame.least >= 0 else { return (Int(frame.pc), frame.position) }
    frame.position = before(frame.position)
    if frame.position > frame.least { frames.append(frame) }
    return (Int(frame.pc), frame.position)
  }

  private func before(_ position: Int) -> Int {
    var position = position - 1
    if view.isMapped { return position }
    while position > lower, view.base[position] & 0b1100_0000 == 0b1000_0000 { position -= 1 }
    return position
  }

  private func scalar(before position: Int) -> UInt32 { view.scalar(at: before(position)).scalar }

  private func isWord(at position: Int) -> Bool {
    position < upper && CharacterClasses.isOnigurumaWord(view.scalar(at: position).scalar)
  }

  private func isTrue(_ assertion: ExpressionNode.Assertion, at position: Int) -> Bool {
    switch assertion {
    case .textStart: position == lower
    case .textEnd: position == upper
    case .lineStart: position == lower || scalar(before: position) == 0x0A
    case .lineEnd: position == upper || view.scalar(at: position).scalar == 0x0A
    case .wordBoundary, .noWordBoundary:
      (isWord(at: position) != (position > lower && isWord(at: before(position))))
        == (assertion == .wordBoundary)
    }
  }
}
