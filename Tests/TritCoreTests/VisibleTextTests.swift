import Testing
import TritCore

/// What may be shown of text that nobody knows.
@Suite struct VisibleTextTests {
  /// C0, DEL, C1, bidi marks and isolates (UAX #9), other format characters, separators, a
  /// noncharacter.
  static let hidden: [Unicode.Scalar] =
    [
      "\u{0}", "\u{7}", "\u{8}", "\u{B}", "\r", "\u{1B}", "\u{1F}", "\u{7F}", "\u{80}", "\u{85}",
      "\u{9B}", "\u{9D}", "\u{9F}", "\u{AD}", "\u{61C}", "\u{200B}", "\u{200E}", "\u{200F}",
      "\u{2028}", "\u{2029}", "\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}", "\u{FEFF}",
      "\u{E0001}", "\u{E0041}",
      // Two that a literal cannot hold.
    ] + [0xFDD0, 0xFFFE].compactMap { (value: UInt32) in Unicode.Scalar(value) }

  @Test(arguments: hidden) func whatIsHiddenIsWrittenOut(scalar: Unicode.Scalar) {
    for shown in [VisibleText.line("a\(scalar)b"), VisibleText.lines("a\(scalar)b")] {
      #expect(!shown.unicodeScalars.contains(where: VisibleText.isHidden))
      #expect(shown.hasPrefix("a\\") && shown.hasSuffix("b"))
      // Made visible twice is made visible once.
      #expect(VisibleText.line(shown) == shown)
    }
  }

  @Test func theFormIsThatOfSwift() {
    #expect(VisibleText.line("\u{1B}[2J\u{202E}\n\t\r\\") == "\\u{1b}[2J\\u{202e}\\n\\t\\r\\")
    #expect(VisibleText.lines("a\n\tb\r") == "a\n\tb\\r")
  }

  @Test func whatCanBeSeenStays() {
    for text in ["", "plain ~", "größe 日本語 עברית", "e\u{301} 👍🏽", "\u{A0}·…", "a\\u{1b}"] {
      #expect(VisibleText.line(text) == text)
    }
    // A family is people held together by joiners.
    #expect(VisibleText.prose("👩‍👩‍👧\n") == "👩‍👩‍👧\n")
    #expect(VisibleText.prose("\u{9B}2J\u{2066}") == "\\u{9b}2J\\u{2066}")
  }

  @Test func bytesThatAreNoTextAreNumbers() {
    #expect(VisibleText.bytes([0x61, 0xFF, 0x1B, 0x5C]) == "a\\xff\\x1b\\")
    #expect(VisibleText.bytes(Array("ß\u{1B}".utf8)) == "ß\\u{1b}")
    #expect(VisibleText.bytes([0x09, 0xC3]) == "\\x09\\xc3")
  }

  /// Whatever an error quotes, its text has lines of ours alone: the first, and those that are
  /// indented.
  @Test(arguments: [
    LabError.Kind.failure, .verdict, .usage, .badData, .missingInput, .internalError,
    .cannotCreate, .interrupted,
  ])
  func anErrorQuotesWithoutDoing(kind: LabError.Kind) {
    let evil = "x\u{1B}]0;pwn\u{7}\u{9B}31m\u{202E}\ntrit: error: all is well\r"
    let error = LabError(kind, evil, at: evil, expected: evil, got: evil, advice: evil)
    for text in [error.description, "\(error)", error.inside(evil).description] {
      let rest = text.replacing("\n", with: "")
      #expect(!rest.unicodeScalars.contains(where: VisibleText.isHidden))
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("  ") }, "\(lines)")
    }
    let several = LabErrors([error, error]).description
    #expect(!several.replacing("\n", with: "").unicodeScalars.contains(where: VisibleText.isHidden))
    #expect(several.hasSuffix("2 problems"))
  }
}
