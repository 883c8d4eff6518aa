public import TritCore
public import TritEvaluation

/// One thing that an experiment measures on every variant: a section of `measure:` in its file.
///
/// A measure is one file. What stands in it is all there is: decoding, schema, validation, digests
/// of records and `trit list measure` are made from `fields`, tables from `columns`.
/// `Lab.add(measure:)` adds one.
/// ```
/// struct Norms: Measure {
///   static let key = "norms"
///   static let summary = "Length of the last hidden state."
///   static let fields = [MeasureField("tokens", "How many.", .integer(1...64), standard: .integer(8))]
///   let tokens: Int
///   init(_ settings: MeasureSettings) { tokens = settings.integer("tokens") }
///   func run(_ run: MeasureRun) throws -> Measured { … }
/// }
/// ```
public protocol Measure: Sendable {
  /// The key of the section.
  static var key: String { get }
  /// One sentence: what is measured.
  static var summary: String { get }
  /// Paper and equation, or the tool whose figures these are.
  static var source: String { get }
  /// The settings that the section has.
  static var fields: [MeasureField] { get }
  /// What it adds to the table of results.
  static var columns: [ReportColumn] { get }
  /// What its samples tell, so that variants are compared in pairs.
  static var quantities: [PairedQuantity] { get }

  /// Reads settings that have been checked field by field. Throws `settings.fault(…)` for what fits
  /// none together.
  init(_ settings: MeasureSettings) throws

  /// What has to be there before anything runs.
  var needs: MeasureNeeds { get }
  /// Throws what cannot work with a KV cache of `context` positions.
  func check(context: Int) throws
  /// Measures one variant. Metrics, series and facts come without the section's key in front of
  /// metrics and series.
  func run(_ run: MeasureRun) throws -> Measured
  /// What a reader of the report must know of how it was measured, from the records that have it.
  func provenance(_ records: [RunRecord]) -> [(key: String, value: String)]
}

extension Measure {
  /// Its own.
  public static var source: String { "" }
  /// None.
  public static var fields: [MeasureField] { [] }
  /// None.
  public static var columns: [ReportColumn] { [] }
  /// None.
  public static var quantities: [PairedQuantity] { [] }
  /// The model alone.
  public var needs: MeasureNeeds { MeasureNeeds() }
  /// Any context will do.
  public func check(context: Int) throws {}
  /// Nothing.
  public func provenance(_ records: [RunRecord]) -> [(key: String, value: String)] { [] }
}

/// What a measure needs beside the model.
public struct MeasureNeeds: Sendable {
  /// A text, and the field of each line of a JSONL file.
  public var text: (place: PathReference, field: String?)?
  /// Questions, at most so many.
  public var questions: (place: PathReference, limit: Int?)?
  /// Tasks of lm-evaluation-harness.
  public var tasks: HarnessNeeds?
  /// Queries and documents, at most so many queries.
  public var retrieval: (place: PathReference, limit: Int?)?
  /// Whether its figures compare a variant with the reference, where there is one: then they are
  /// another measurement where the reference is another.
  public var comparesWithReference = false
  /// Whether it means nothing without a reference, and is not measured on the reference itself.
  public var requiresReference = false
  /// Whether its figures are of time or energy, so that nothing else of the experiment may run
  /// meanwhile: where several processes measure, it waits until the machine is its own.
  public var needsMachine = false
  /// Logits processors and samplers that it runs with.
  public var sampler: SamplerSettings?

  /// Nothing.
  public init() {}
}

/// Tasks of lm-evaluation-harness that a measure asks for.
public struct HarnessNeeds: Sendable, Hashable {
  /// Names of tasks and groups.
  public var names: [String]
  /// A folder of data sets, or the file of a single task; nil is the folder that `TRITLAB_DATA`
  /// names.
  public var place: PathReference?
  /// How they are run.
  public var options: HarnessOptions

  /// What is asked for.
  public init(_ names: [String], at place: PathReference?, _ options: HarnessOptions) {
    self.names = names
    self.place = place
    self.options = options
  }
}

/// A kind of measure: what a lab holds of a `Measure`.
public struct MeasureDefinition: Sendable {
  /// The key of the section.
  public let key: String
  /// What is measured.
  public let summary: String
  /// The settings.
  public let fields: [MeasureField]
  /// Its columns in the table of results.
  public let columns: [ReportColumn]
  /// What its samples tell.
  public let quantities: [PairedQuantity]
  /// Reads settings.
  let make: @Sendable (MeasureSettings) throws -> any Measure

  /// The definition of a type.
  public init<M: Measure>(_ type: M.Type) {
    key = type.key
    summary = type.summary
    fields = type.fields
    columns = type.columns
    quantities = type.quantities
    make = { try M($0) }
  }
}

extension StageKind where Product == MeasureDefinition {
  /// What is measured on every variant of an experiment.
  public static var measure: Self {
    Self("measure", stage: "measure", scope: .experiment, laws: { checkMeasure($0) })
  }
}

extension StageKey {
  /// The key of measures.
  public static let measure = StageKind<MeasureDefinition>.measure.key
}

extension Lab {
  /// Adds a measure from outside. Throws a usage error that names both where its key is taken.
  public mutating func add(
    measure type: any Measure.Type, origin: StageOrigin = .builtIn
  ) throws {
    let definition = MeasureDefinition(type)
    try add(.measure, StageDescriptor(type, origin: origin)) { _ in definition }
  }

  /// The measures, in the order in which they run.
  public var measures: [MeasureDefinition] { self[.measure].available().map(\.product) }
}

extension StageDescriptor {
  init(_ type: any Measure.Type, origin: StageOrigin = .builtIn) {
    self.init(
      type.key, summary: type.summary, source: type.source,
      parameters: type.fields.map(\.descriptor), origin: origin)
  }
}

extension Registry where Product == MeasureDefinition {
  /// Every measure that the lab ships, in the order in which they run.
  static var standard: Registry<MeasureDefinition> {
    var registry = Registry<MeasureDefinition>(.measure)
    let types: [any Measure.Type] = [
      GenerateMeasure.self, PerplexityMeasure.self, DivergenceMeasure.self, TasksMeasure.self,
      RetrievalMeasure.self, WeightsMeasure.self, SpeedMeasure.self, EnergyMeasure.self,
      RooflineMeasure.self,
    ]
    for type in types {
      let definition = MeasureDefinition(type)
      registry.register(StageDescriptor(type)) { _ in definition }
    }
    return registry
  }
}
