/// What a rendering may take: templates come with models, from anywhere.
///
/// The standard lies far above what the largest conversations need and ends a hostile template
/// within seconds and a gigabyte.
public struct TemplateLimits: Sendable, Equatable {
  /// Steps: one for each operation, one for each 8 code points or each value that it makes.
  public var steps = 24_000_000
  /// Code points of a text, and elements of a list.
  public var size = 16 << 20
  /// Expressions, statements and calls inside each other.
  public var depth = 300
  /// Values inside each other.
  public var nesting = 200

  /// The standard limits.
  public init() {}
}
