public import TritCore
internal import TritModel

extension Lab {
  /// Everything that the lab ships: the stages of engines, and what experiments measure and draw.
  public static let standard: Lab = stages
}
