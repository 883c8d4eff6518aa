import TritCore

/// What a contest is about: who runs, against whom, on what, and for how long.
public struct ArenaRequest: Codable, Sendable, Equatable {
  /// What `resolve` in the child makes the contestant of: a name, or the path of a file.
  public var contestant: String
  /// The name of the contestant in results.
  public var name: String
  /// The file that it comes from; nil where it is built in.
  public var file: String?
  /// The digest of that file and of what it was built with; nil where it is built in.
  public var origin: String?
  /// Kernels to race against, the one that the score is held against first.
  public var baselines: [String]
  /// The products.
  public var cases: [ArenaCase]
  /// Threads of a multiply.
  public var threads = 1
  /// Runs with weights of their own; the median of them counts.
  public var runs = 9
  /// Seconds that may be spent on what is timed; each run times each case at least once.
  public var budget = 30.0
  /// Whether weights come from memory: caches are flushed before each multiply. Else they come from
  /// where the last multiply left them.
  public var fromMemory = true
  /// Seconds after which a child that says nothing is taken to hang.
  public var limit = 120.0
  /// The seed of all inputs; nil draws one from the system after the contestant is loaded, and only
  /// then is there a score.
  public var seed: UInt64?

  /// A contest with the usual runs, budget and limit.
  public init(
    contestant: String, name: String? = nil, file: String? = nil, origin: String? = nil,
    baselines: [String] = ["i2_s"], cases: [ArenaCase] = ArenaSuite.cases()
  ) {
    self.contestant = contestant
    self.name = name ?? contestant
    self.file = file
    self.origin = origin
    self.baselines = baselines
    self.cases = cases
  }

  /// Throws a usage error for a figure that is out of its range.
  public func validate() throws {
    func require(_ isFine: Bool, _ what: String, _ expected: String, _ got: String) throws {
      if !isFine { throw LabError(.usage, what, expected: expected, got: got) }
    }
    try require(
      !baselines.isEmpty && baselines.count <= 16, "a contest needs somebody to race against",
      "1 to 16 kernels", "\(baselines.count)")
    try require(
      (1...64).contains(runs), "a contest has a few runs", "1 to 64", "\(runs)")
    try require(
      (1...1024).contains(threads), "threads out of range", "1 to 1024", "\(threads)")
    try require(
      budget.isFinite && (0...86_400).contains(budget), "budget out of range",
      "0 to 86400 seconds", "\(budget)")
    try require(
      limit.isFinite && limit > 0 && limit <= 86_400, "time limit out of range",
      "up to 86400 seconds", "\(limit)")
    try require(
      !cases.isEmpty && cases.count <= 1024, "a contest needs cases", "1 to 1024", "\(cases.count)")
    for one in cases {
      try require(
        (1...ArenaCase.rowLimit).contains(one.rows)
          && (1...ArenaCase.columnLimit).contains(one.columns)
          && (1...ArenaCase.tokenLimit).contains(one.tokens)
          && one.rows * one.columns <= ArenaCase.weightLimit,
        "a case is larger than the arena takes",
        "up to \(ArenaCase.rowLimit) rows, \(ArenaCase.columnLimit) columns, "
          + "\(ArenaCase.tokenLimit) tokens and \(ArenaCase.weightLimit) weights",
        one.description)
    }
  }
}
