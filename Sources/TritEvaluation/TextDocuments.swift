/// Where the documents of a text begin: articles, stories, the files of a folder, the lines of a
/// JSONL file.
///
/// Windows of one document share its subject, its author and its difficulty, so an error that takes
/// them as independent is too small: where a text has documents, they are what was drawn (Miller,
/// "Adding Error Bars to Evals", 2024, arXiv:2411.00640, §2.2 on clustered questions).
public struct TextDocuments: Sendable, Hashable {
  /// Offsets in UTF-8 bytes at which documents begin; rising, the first is 0.
  public private(set) var starts: [Int]

  /// One document.
  public static let one = TextDocuments(starts: [0])

  private init(starts: [Int]) { self.starts = starts }

  /// No document yet; `append` adds them.
  init() { starts = [] }

  /// The documents inside a text: behind each `<|endoftext|>`, or the articles of a file in the form
  /// of WikiText (` = Title = `, one level), where the first line that is not blank is such a
  /// heading; one where neither is found.
  public init(of text: String) {
    var text = text
    starts = text.withUTF8 { bytes in
      Self.isArticles(bytes) ? Self.articles(bytes) : Self.marked(bytes)
    }
  }

  /// Adds the documents of a text that begins at byte `offset`.
  mutating func append(_ other: TextDocuments, at offset: Int) {
    starts += other.starts.map { $0 + offset }
  }

  /// The number of the document that byte `offset` lies in, from 0.
  public func number(at offset: Int) -> Int {
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  // MARK: Finding them

  private static let mark = Array("<|endoftext|>".utf8)
  private static let newline = UInt8(ascii: "\n")

  /// The byte behind each mark that is followed by more than blanks and marks, and 0.
  private static func marked(_ bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
    var starts = [0]
    var isBlankSoFar = false
    var index = 0
    while index < bytes.count {
      if isMark(bytes, at: index) {
        index += mark.count
        if isBlankSoFar { starts.removeLast() }
        starts.append(index)
        isBlankSoFar = true
      } else {
        if !isBlank(bytes[index]) { isBlankSoFar = false }
        index += 1
      }
    }
    if isBlankSoFar { starts.removeLast() }
    return starts
  }

  private static func isMark(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
    bytes[index] == mark[0] && index + mark.count <= bytes.count
      && mark.indices.allSatisfy { bytes[index + $0] == mark[$0] }
  }

  private static func articles(_ bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
    var starts: [Int] = []
    var line = 0
    while line < bytes.count {
      let end = bytes[line...].firstIndex(of: newline) ?? bytes.count
      // What stands before the first heading belongs to the first article.
      if isHeading(bytes, line..<end) { starts.append(starts.isEmpty ? 0 : line) }
      line = end + 1
    }
    return starts
  }

  private static func isArticles(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var line = 0
    while line < bytes.count {
      let end = bytes[line...].firstIndex(of: newline) ?? bytes.count
      if bytes[line..<end].contains(where: { !isBlank($0) }) {
        return isHeading(bytes, line..<end)
      }
      line = end + 1
    }
    return false
  }

  /// Whether a line is ` = Title = `, and not ` = = Section = = `.
  private static func isHeading(
    _ bytes: UnsafeBufferPointer<UInt8>, _ line: Range<Int>
  ) -> Bool {
    var (first, end) = (line.lowerBound, line.upperBound)
    while first < end, isBlank(bytes[first]) { first += 1 }
    while first < end, isBlank(bytes[end - 1]) { end -= 1 }
    let (equals, space) = (UInt8(ascii: "="), UInt8(ascii: " "))
    guard end - first >= 5, bytes[first] == equals, bytes[end - 1] == equals,
      bytes[first + 1] == space, bytes[end - 2] == space
    else { return false }
    return bytes[first + 2] != equals && bytes[end - 3] != equals
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }
}

/// Windows of a text, and where they lie in it.
public struct TextWindows: Sendable {
  /// The windows that were asked for, in the order of the text.
  public let windows: [ScoringWindow]
  /// The number of the first among the windows of the whole.
  public let first: Int
  /// Windows of the whole.
  public let total: Int
  /// The number of the document in which each window's first scored token begins; nil where the
  /// text is one document.
  public let documents: [Int]?

  /// Windows of one document, or of a text whose documents are not known.
  public init(_ windows: [ScoringWindow], first: Int = 0, total: Int? = nil) {
    self.init(windows: windows, first: first, total: total ?? windows.count, documents: nil)
  }

  init(windows: [ScoringWindow], first: Int, total: Int, documents: [Int]?) {
    self.windows = windows
    self.first = first
    self.total = total
    self.documents = documents
  }
}
