public import TritCore

/// A kind of figure: a file like this one, and a gnuplot template `plots/KEY.gp`.
/// `Lab.add(figure:)` adds one.
public protocol Figure: Sendable {
  /// The name under `plots:`.
  static var key: String { get }
  /// What it shows, in a few words: the title.
  static var summary: String { get }
  /// The sections of `measure` that it draws from.
  static var needs: [String] { get }
  /// Whether it compares with the reference.
  static var needsReference: Bool { get }
  /// The template's text; nil is the file `plots/KEY.gp` of the lab.
  static var template: String? { get }

  /// The data; nil where no record has what it shows.
  static func data(_ report: Report) -> PlotData?
}

extension Figure {
  /// It stands for itself.
  public static var needsReference: Bool { false }
  /// The file of the lab.
  public static var template: String? { nil }
}

/// What a lab holds of a `Figure`.
public struct FigureDefinition: Sendable {
  /// The name under `plots:`.
  public let key: String
  /// What it shows.
  public let summary: String
  /// The sections of `measure` that it draws from.
  public let needs: [String]
  /// Whether it compares with the reference.
  public let needsReference: Bool
  /// The template's text; nil is the lab's file.
  public let template: String?
  let data: @Sendable (Report) -> PlotData?

  /// The definition of a type.
  public init<F: Figure>(_ type: F.Type) {
    key = type.key
    summary = type.summary
    needs = type.needs
    needsReference = type.needsReference
    template = type.template
    data = { F.data($0) }
  }
}

/// A figure that an experiment asks for.
public struct PlannedPlot: Sendable {
  /// What is drawn.
  public let figure: FigureDefinition
  /// Its name in the run directory: the figure's, or that of the user's template.
  public let name: String
  /// A template of the user's in place of the figure's own.
  public let template: PathReference?
  /// Whether the file says nothing of figures, so that this one is drawn where there is something
  /// to see.
  public var isDefault = false
}

extension StageKind where Product == FigureDefinition {
  /// What an experiment draws.
  public static var figure: Self {
    Self("figure", stage: "figure", scope: .experiment, laws: { checkFigure($0) })
  }
}

extension StageKey {
  /// The key of figures.
  public static let figure = StageKind<FigureDefinition>.figure.key
}

extension Lab {
  /// Adds a figure from outside. Throws a usage error that names both where its key is taken.
  public mutating func add(
    figure type: any Figure.Type, origin: StageOrigin = .builtIn
  ) throws {
    let definition = FigureDefinition(type)
    try add(.figure, StageDescriptor(type, origin: origin)) { _ in definition }
  }

  /// All figures.
  public var figures: [FigureDefinition] { self[.figure].available().map(\.product) }
}

extension StageDescriptor {
  init(_ type: any Figure.Type, origin: StageOrigin = .builtIn) {
    let needs = type.needs.joined(separator: ", ") + (type.needsReference ? ", a reference" : "")
    self.init(
      type.key, summary: type.summary, source: "plots/\(type.key).gp", accepts: needs,
      gives: "SVG, PNG and PDF", origin: origin)
  }
}

extension Registry where Product == FigureDefinition {
  /// Every figure that the lab ships.
  static var standard: Registry<FigureDefinition> {
    var registry = Registry<FigureDefinition>(.figure)
    let types: [any Figure.Type] = [
      DifferencesFigure.self, PerplexityByVariantFigure.self, SizeVersusPerplexityFigure.self,
      QualityVersusBitsFigure.self,
      ThroughputFigure.self, DivergenceByPositionFigure.self, LayerSensitivityFigure.self,
      GenerationAgreementFigure.self, TaskAccuracyFigure.self, ScalingFigure.self,
      EnergyFigure.self, RooflineFigure.self, SpeedVersusPerplexityFigure.self,
      SweepFigure.self, HeatMapFigure.self, SeedsFigure.self,
    ]
    for type in types {
      let definition = FigureDefinition(type)
      registry.register(StageDescriptor(type)) { _ in definition }
    }
    return registry
  }
}
