/// A pattern over names: `*` stands for any characters, `?` for one.
struct NameGlob {
  private let pattern: [Character]

  init(_ text: String) { pattern = Array(text) }

  /// Whether `text` has a place for anything.
  static func isGlob(_ text: String) -> Bool { text.contains("*") || text.contains("?") }

  func matches(_ name: String) -> Bool {
    let name = Array(name)
    // The classic two-pointer walk: remember the last star and how much it has eaten.
    var (p, n, star, eaten) = (0, 0, -1, 0)
    while n < name.count {
      if p < pattern.count, pattern[p] == "*" {
        (star, eaten) = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if star >= 0 {
        eaten += 1
        (p, n) = (star + 1, eaten)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}
