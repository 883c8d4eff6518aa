/// How much of a message is shown: names and values from files may be as long as the files, and
/// problems as many as their lines.
extension LabError {
  /// Bytes of a part of a message that are shown.
  public static let shownBytes = 2_000

  /// `text`, or its beginning and its end where it has more than `shownBytes` bytes.
  static func cut(_ text: String) -> String {
    let count = text.utf8.count
    guard count > shownBytes else { return text }
    let half = shownBytes / 2
    let scalars = text.unicodeScalars
    let head = scalars.prefix(half / 4)
    let tail = scalars.suffix(half / 4)
    return String(head) + " … (\(count) bytes in all) … " + String(tail)
  }
}

extension LabErrors {
  /// Problems that are shown.
  public static let shownProblems = 20

  /// The first problems, one after the other, how many are left out, and their count.
  var shownDescription: String {
    var lines = problems.prefix(Self.shownProblems).map(\.description)
    let all = problems.count + omitted
    if all > lines.count { lines.append("… and \(all - lines.count) more") }
    if all > 1 { lines.append("\(all) problems") }
    return lines.joined(separator: "\n")
  }
}
