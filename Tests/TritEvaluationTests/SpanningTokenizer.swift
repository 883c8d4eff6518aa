import TritLab

/// Letters as `LetterTokenizer` has them, but "bc" is token 15 and a space token 14.
struct SpanningTokenizer: Tokenizer {
  let addsBOS = true
  let kind = "letters and a pair"
  let vocabularySize = 16
  let bos: Int? = 0
  let endOfGeneration: Set<Int> = []
  let stripsLeadingSpace = false

  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] {
    (addSpecial ? [0] : [])
      + text.replacing("bc", with: "p").replacing(" ", with: "o").utf8.map { Int($0) - 97 }
  }

  func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] { [UInt8(id + 97)] }

  func piece(_ id: Int) -> String? { nil }
}

/// Every code point is token 1: for questions in any script.
struct CodePointTokenizer: Tokenizer {
  let addsBOS = true
  let kind = "code points"
  let vocabularySize = 8
  let bos: Int? = 0
  let endOfGeneration: Set<Int> = []
  let stripsLeadingSpace = false

  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] {
    (addSpecial ? [0] : []) + text.unicodeScalars.map { _ in 1 }
  }

  func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] { [] }

  func piece(_ id: Int) -> String? { nil }
}
