/// Values within prose: `1.58<!--= fixed(log2(3), 2) -->` is a word and the expression that it is
/// the value of. Readers of the file see the word; a run computes the expression and puts its value
/// in the word's place.
struct InlineValues {
  /// One of them.
  struct Value: Equatable {
    /// The word as it stands in the text.
    var word: Range<String.Index>
    /// The comment behind it.
    var comment: Range<String.Index>
    /// What is computed.
    var expression: String
  }

  let text: String
  let values: [Value]

  init(_ text: String) {
    self.text = text
    var values: [Value] = []
    var rest = text.startIndex..<text.endIndex
    // No word reaches into what stands before it.
    var free = text.startIndex
    while let open = text[rest].firstRange(of: "<!--="),
      let close = text[open.upperBound...].firstRange(of: "-->")
    {
      rest = close.upperBound..<text.endIndex
      let expression = text[open.upperBound..<close.lowerBound]
      // The word ends where the comment begins; marks of emphasis and code are not part of it.
      var end = open.lowerBound
      func before(_ index: String.Index) -> Character? {
        index > free ? text[text.index(before: index)] : nil
      }
      while let character = before(end), "*`".contains(character) { end = text.index(before: end) }
      var start = end
      while let character = before(start), !character.isWhitespace, !"*`(|[".contains(character) {
        start = text.index(before: start)
      }
      free = close.upperBound
      guard start < end else { continue }
      values.append(
        Value(
          word: start..<end, comment: open.lowerBound..<close.upperBound,
          expression: String(expression).trimmedSpaces))
    }
    self.values = values
  }

  /// The text with `words` in the places of the old ones; the comments stay where `keepsComments`
  /// says so.
  func replacing(with words: [String], keepsComments: Bool) -> String {
    var result = ""
    var at = text.startIndex
    for (value, word) in zip(values, words) {
      result += text[at..<value.word.lowerBound] + word
      result += text[value.word.upperBound..<value.comment.lowerBound]
      if keepsComments { result += text[value.comment] }
      at = value.comment.upperBound
    }
    return result + text[at...]
  }
}

extension String {
  /// Without spaces at its ends.
  fileprivate var trimmedSpaces: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
