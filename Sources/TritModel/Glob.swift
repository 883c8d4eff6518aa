/// A glob over layer names: `*` any run, `?` one character; `blk.-1.` counts layers from the end.
package struct Glob: Sendable {
  private let pattern: [UInt8]

  /// A glob over the names of a model with `layers` layers.
  package init(_ text: String, layers: Int) {
    var parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.count > 1, let index = Int(parts[1]), index < 0 { parts[1] = "\(layers + index)" }
    pattern = Array(parts.joined(separator: ".").utf8)
  }

  /// Whether `text` matches a layer of any model: a test that catches misspelt names before a model
  /// is read.
  package static func canMatch(_ text: String) -> Bool {
    let glob = Glob(pattern: Array(text.utf8))
    return (-512..<512).contains { block in
      LinearRole.allCases.contains { glob.matches("blk.\(block).\($0.rawValue)") }
    }
  }

  private init(pattern: [UInt8]) { self.pattern = pattern }

  package func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    // The classic two-pointer walk: remember the last star and how much it has eaten.
    var (p, n, star, eaten) = (0, 0, -1, 0)
    while n < name.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = p
        eaten = n
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if star >= 0 {
        p = star + 1
        eaten += 1
        n = eaten
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
