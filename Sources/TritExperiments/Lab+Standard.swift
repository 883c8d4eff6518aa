public import TritCore
internal import TritModel

extension Lab {
  /// Everything that the lab ships: the stages of engines, and what experiments measure and draw.
  public static let standard: Lab = {
    var lab = stages
    lab.place(Registry<MeasureDefinition>.standard)
    lab.place(Registry<FigureDefinition>.standard)
    return lab
  }()
}
