/// What a value looks like, once for each kind of reader: texts by media type, as Jupyter's bundles
/// have them (`text/plain`, `text/markdown`, `text/html`, `image/svg+xml`).
///
/// Every value has `text/plain`: terminals and old readers show it. SVG and HTML are whole by
/// themselves: nothing in them is fetched.
public struct DisplayData: Sendable, Equatable, Codable, Displayable {
  /// Texts by media type.
  public var types: [String: String]

  /// What `plain` says, and in other forms `types`.
  public init(plain: String, _ types: [MediaType: String] = [:]) {
    self.types = [MediaType.plain.rawValue: plain]
    for (type, text) in types { self.types[type.rawValue] = text }
  }

  /// The text for `type`; nil where there is none.
  public subscript(type: MediaType) -> String? {
    get { types[type.rawValue] }
    set { types[type.rawValue] = newValue }
  }

  /// The text for terminals.
  public var plain: String { self[.plain] ?? "" }

  /// Itself.
  public var displayData: DisplayData { self }
}

/// The media types that the lab writes.
public enum MediaType: String, Sendable, CaseIterable {
  case plain = "text/plain"
  case markdown = "text/markdown"
  case html = "text/html"
  case svg = "image/svg+xml"
  case json = "application/json"
}

/// A value that can show itself as more than its description.
public protocol Displayable {
  /// Its looks.
  var displayData: DisplayData { get }
}
