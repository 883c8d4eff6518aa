/// A kind of story: casts its characters, then tells its beats in order and keeps the state right.
///
/// To add one: conform a small type, write its beats as templates (`TemplateParser` has the
/// language), and put it into `Plots.all`. The law checker and the vocabulary test find what is
/// wrong.
protocol StoryPlot: Sendable {
  /// A short name, listed by `StoryGenerator.plotNames`.
  var name: String { get }
  /// Tells one story.
  func tell(_ story: inout Narrator)
}

/// The plots that stories are made from, equally likely.
enum Plots {
  static let all: [any StoryPlot] = [
    LostThingPlot(), SharedFoodPlot(), PassedOnPlot(), PromisePlot(), FearPlot(), BuildPlot(),
    RacePlot(), MarketPlot(), StuckPlot(), BirthdayPlot(), RescuePlot(), QuarrelPlot(), PlantPlot(),
    MysteryPlot(), DayPlot(), CookPlot(), HideAndSeekPlot(),
  ]
  static let table = WeightTable.uniform(all.count)
}
