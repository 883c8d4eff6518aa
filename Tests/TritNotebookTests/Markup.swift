/// The elements of a page, as far as tests want to know them: whether they close in order, and
/// their ids.
struct Markup {
  /// The first thing that is wrong; nil where every element is closed in its order.
  private(set) var problem: String?
  /// All ids, in their order.
  private(set) var ids: [String] = []

  private static let empty: Set<String> = ["meta", "br", "hr", "img", "input"]

  init(_ html: String) {
    var open: [String] = []
    var rest = html[...]
    while problem == nil, let start = rest.firstIndex(of: "<") {
      guard let end = rest[start...].firstIndex(of: ">") else {
        problem = "a tag does not end"
        return
      }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.first == "!" { continue }
      if let id = tag.range(of: " id=\"") ?? tag.range(of: " id='") {
        ids.append(String(tag[id.upperBound...].prefix { $0 != "\"" && $0 != "'" }))
      }
      let name = String(tag.drop { $0 == "/" }.prefix { !$0.isWhitespace && $0 != "/" })
      if tag.first == "/" {
        if open.popLast() != name { problem = "</\(name)> closes what is not open" }
      } else if tag.last != "/", !Self.empty.contains(name) {
        open.append(name)
      }
    }
    if problem == nil, let last = open.last { problem = "<\(last)> is not closed" }
  }
}

extension Substring {
  fileprivate func range(of word: String) -> Range<Index>? { firstRange(of: word) }
}
