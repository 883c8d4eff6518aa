public import TritEvaluation

/// How an experiment is run, apart from what its file says.
public struct RunOptions: Sendable {
  /// Overrides, `key.path=value` each; later ones win.
  public var set: [String]
  /// Measure again what an earlier run has measured with the same inputs, and begin a new run
  /// directory where an unfinished one could be continued.
  public var force: Bool
  /// The folder in which `<name>/<UTC time>/` is made; nil is `runs` in the working directory.
  public var outputDirectory: String?
  /// Threads, over what the file says; nil is the file's, else the machine's cores.
  public var threads: Int?
  /// The folder with the plots' templates; nil looks in `TRITLAB_PLOTS`, then around the program.
  public var plotsDirectory: String?
  /// Which variants are measured; the reference is, where it is needed.
  public var selection = VariantSelection()
  /// Which of the windows that the file asks for are measured, for measures of a text; nil is all.
  /// `collect` joins the parts.
  public var windows: WindowSelection?

  /// The defaults: new or continued run below `runs`.
  public init(
    set: [String] = [], force: Bool = false, outputDirectory: String? = nil, threads: Int? = nil,
    plotsDirectory: String? = nil
  ) {
    self.set = set
    self.force = force
    self.outputDirectory = outputDirectory
    self.threads = threads
    self.plotsDirectory = plotsDirectory
  }
}

/// What a run tells whoever watches it, in the order in which it happens.
public enum RunEvent: Sendable {
  /// The run begins in this directory; `resumed` where an unfinished one is continued.
  case started(directory: String, variants: Int, resumed: Bool)
  /// A variant begins (or the reference).
  case variantStarted(index: Int, of: Int, label: String)
  /// A section of a variant is so far, 0…1; `remaining` seconds of the whole run, once known.
  case progress(label: String, section: String, fraction: Double, remaining: Double?)
  /// Several variants are at work in processes of their own: how far each is, how many are done.
  case working([VariantAtWork], done: Int, of: Int, remaining: Double?)
  /// A variant is done; the record says how.
  case variantEnded(RunRecord)
  /// A variant's record is taken from an earlier run.
  case variantReused(RunRecord)
  /// A figure of a variant that has just ended is not what it should be: others used the machine,
  /// say. `kind` is the same for warnings that differ only in their figures.
  case warning(label: String, section: String, text: String, kind: String)
  /// Something that the user should know and that fails nothing: no gnuplot, say.
  case note(String)
}

/// How far a process is with a variant.
public struct VariantAtWork: Sendable {
  /// The variant.
  public var label: String
  /// The section that is measured; empty while the model is loaded.
  public var section: String
  /// How much of the section is done, 0…1.
  public var fraction: Double
}

/// What a run came to.
public struct RunOutcome: Sendable {
  /// The run directory.
  public var directory: String
  /// The records, reference first where there is one, then in the order of the plan.
  public var records: [RunRecord]
  /// How many records were taken over from earlier runs.
  public var reused: Int
  /// Whether Ctrl-C ended it.
  public var wasInterrupted: Bool
  /// The text of `summary.md`.
  public var summary: String
  /// Published figures beside what was measured; empty where the file has none.
  public var published: [PublishedResult] = []
  /// The same in a few lines, for a terminal.
  public var brief: BriefReport
  /// Files written, relative to the directory.
  public var files: [String]

  /// 0; 1 where a variant failed; 2 where a published figure was not met; 130 after Ctrl-C.
  public var exitCode: Int32 {
    if wasInterrupted { return 130 }
    if records.contains(where: { $0.status == .failed }) { return 1 }
    return published.contains { $0.verdict == .fail } ? 2 : 0
  }
}
