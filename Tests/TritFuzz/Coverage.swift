import _CFuzzHooks

/// What inputs reached: edges of the instrumented program, and, in every build, kinds of answers.
struct Coverage {
  /// Answers seen so far: `accepted`, or a refusal without its figures and names.
  private(set) var answers: Set<String> = []

  /// Whether the program was built with coverage counters.
  static var isInstrumented: Bool { fuzz_edges() > 0 }

  /// Forgets what ran since the last input.
  func begin() { fuzz_clear() }

  /// Whether the input that just ran did something new.
  mutating func end(answer: String) -> Bool {
    let isNewAnswer = answers.count < 4096 && answers.insert(Self.kind(of: answer)).inserted
    return fuzz_collect() > 0 || isNewAnswer
  }

  /// A message without what differs from input to input: digits and whatever is quoted.
  static func kind(of message: String) -> String {
    var kept: [UInt8] = []
    var isQuoted = false
    for byte in message.utf8.prefix(160) {
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      } else if !isQuoted, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        kept.append(byte)
      }
    }
    return String(decoding: kept, as: UTF8.self)
  }

  /// One line an edge, `offset covered`, both hexadecimal, for `trit-fuzz coverage`.
  static func listing() -> String {
    var text = ""
    for edge in 0..<fuzz_edges() {
      text +=
        String(fuzz_edge_offset(edge), radix: 16) + (fuzz_edge_covered(edge) != 0 ? " 1\n" : " 0\n")
    }
    return text
  }
}

extension Coverage {
  /// Instrumented edges of the program.
  static var edges: Int { fuzz_edges() }
  /// Edges that ran at least once.
  static var edgesCovered: Int { fuzz_edges_covered() }
}
