/// A regular expression made ready for matching: a program for a backtracking matcher.
///
/// An expression without back-references fails from a place of the program and of the text for
/// good, so that places can be remembered: beyond some steps the matcher does, which keeps its time
/// in proportion to the text.
final class SplitExpression: Sendable, Equatable {
  enum Instruction: Sendable {
    /// One character of a set.
    case one(Int32)
    /// As many characters of a set as there are, giving back one at a time unless `keeps`.
    case run(Int32, atLeast: Int, atMost: Int, keeps: Bool)
    /// Goes on at the first, then at the second.
    case either(Int32, Int32)
    case jump(Int32)
    /// Looks ahead: the body follows and ends with `accept`, the rest begins at `rest`.
    case look(rest: Int32, negated: Bool)
    case lookBehind(Int32, negated: Bool)
    /// The body follows, ends with `accept`, and gives nothing back.
    case atomic(rest: Int32)
    case assertion(ExpressionNode.Assertion)
    case accept
  }

  /// The expression as it was written.
  let source: String
  let program: [Instruction]
  let sets: [ScalarSet]

  /// Throws for what is malformed or not supported.
  init(_ source: String) throws(UnsupportedExpression) {
    let tree = try ExpressionParser.parse(source)
    var compiler = Compiler()
    compiler.add(tree)
    compiler.program.append(.accept)
    guard compiler.program.count <= 20_000 else {
      throw UnsupportedExpression(what: "an expression this large", position: 0)
    }
    self.source = source
    program = compiler.program
    sets = compiler.contents.map { ScalarSet($0) }
  }

  static func == (left: SplitExpression, right: SplitExpression) -> Bool {
    left.source == right.source
  }
}

private struct Compiler {
  var program: [SplitExpression.Instruction] = []
  var contents: [ScalarSet.Content] = []

  private mutating func set(_ content: ScalarSet.Content) -> Int32 {
    if let known = contents.firstIndex(of: content) { return Int32(known) }
    contents.append(content)
    return Int32(contents.count - 1)
  }

  private var here: Int32 { Int32(truncatingIfNeeded: program.count) }

  mutating func add(_ node: ExpressionNode) {
    // A program that is too large is refused by the caller; it need not grow further.
    guard program.count <= 20_000 else { return }
    switch node {
    case .empty: break
    case .one(let content): program.append(.one(set(content)))
    case .sequence(let parts): for part in parts { add(part) }
    case .alternatives(let parts): addAlternatives(parts)
    case .repeated(let body, let atLeast, let atMost, let greed):
      addRepetition(of: body, atLeast: atLeast, atMost: atMost, greed)
    case .look(let body, let negated):
      addBody(body) { .look(rest: $0, negated: negated) }
    case .lookBehind(let content, let negated):
      program.append(.lookBehind(set(content), negated: negated))
    case .atomic(let body): addBody(body) { .atomic(rest: $0) }
    case .assertion(let assertion): program.append(.assertion(assertion))
    }
  }

  private mutating func addBody(
    _ body: ExpressionNode, _ make: (Int32) -> SplitExpression.Instruction
  ) {
    let start = program.count
    program.append(.accept)
    add(body)
    program.append(.accept)
    program[start] = make(here)
  }

  private mutating func addAlternatives(_ parts: [ExpressionNode]) {
    var jumps: [Int] = []
    for (index, part) in parts.enumerated() {
      guard index + 1 < parts.count else {
        add(part)
        break
      }
      let fork = program.count
      program.append(.accept)
      add(part)
      jumps.append(program.count)
      program.append(.accept)
      program[fork] = .either(Int32(fork + 1), here)
    }
    for jump in jumps { program[jump] = .jump(here) }
  }

  private mutating func addRepetition(
    of body: ExpressionNode, atLeast: Int, atMost: Int, _ greed: ExpressionNode.Greed
  ) {
    if case .one(let content) = body, greed != .lazy {
      program.append(
        .run(set(content), atLeast: atLeast, atMost: atMost, keeps: greed == .possessive))
      return
    }
    if greed == .possessive {
      return addBody(.repeated(body, atLeast: atLeast, atMost: atMost, .greedy)) {
        .atomic(rest: $0)
      }
    }
    for _ in 0..<atLeast { add(body) }
    func fork(_ inside: Int, _ after: Int32) -> SplitExpression.Instruction {
      greed == .lazy ? .either(after, Int32(inside)) : .either(Int32(inside), after)
    }
    if atMost == .max {
      let start = program.count
      program.append(.accept)
      add(body)
      program.append(.jump(Int32(start)))
      program[start] = fork(start + 1, here)
      return
    }
    var forks: [Int] = []
    for _ in atLeast..<atMost {
      guard program.count <= 20_000 else { return }
      forks.append(program.count)
      program.append(.accept)
      add(body)
    }
    for start in forks { program[start] = fork(start + 1, here) }
  }
}
