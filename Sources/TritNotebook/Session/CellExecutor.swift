/// Runs cells one after the other and keeps their state: what runners, watchers and Jupyter share.
///
/// `run` is called by one thread at a time. `interrupt`, `end`, and whatever only looks may be
/// called by others while it runs.
public protocol CellExecutor: AnyObject, Sendable {
  /// Runs `cell`. `file` is what messages call the notebook. `emit` gets what it gives, in order,
  /// while it runs. A cell that is run again (the same `id`) replaces what it had defined; one that
  /// fails defines nothing.
  ///
  /// - Returns: nil where it ran, else why it failed; `emit` got the same as its last output.
  func run(
    _ cell: NotebookCell, file: String, emit: @escaping @Sendable (CellOutput) -> Void
  ) -> CellFailure?

  /// Asks the cell that runs to stop: politely first; a cell that does not listen is ended within
  /// seconds, and the state before it is restored. Nothing where none runs.
  func interrupt()

  /// Ends the process in which cells run, and everything that it started. Nothing runs afterwards.
  func end()

  /// What can stand at `offset` (in Unicode scalars) of `text`, a cell of `language`.
  func completions(of text: String, in language: CellLanguage, at offset: Int) -> CellCompletions

  /// What is known of what stands at `offset` (in Unicode scalars) of `text`, a cell of `language`:
  /// Markdown; nil where nothing is.
  func inspection(of text: String, in language: CellLanguage, at offset: Int) -> String?

  /// Whether a cell of Swift is whole, for consoles that ask whether to run it.
  func completeness(of text: String) -> CellCompleteness
}

/// Words that can stand at a place.
public struct CellCompletions: Sendable, Equatable {
  /// The words, likely ones first.
  public var matches: [String]
  /// The range that they replace, in Unicode scalars of the cell's text.
  public var range: Range<Int>
  /// What is known of some of them.
  public var details: [String: Detail] = [:]

  /// What a word is.
  public struct Detail: Sendable, Equatable {
    /// `function`, `property`, `class`, `instance`, `module`, `keyword`, or `<unknown>`.
    public var kind: String
    /// How it is declared.
    public var signature: String

    /// A detail.
    public init(kind: String, signature: String) {
      self.kind = kind
      self.signature = signature
    }
  }

  /// Completions.
  public init(matches: [String], range: Range<Int>) {
    self.matches = matches
    self.range = range
  }
}

/// Whether a text is a whole cell.
public enum CellCompleteness: Sendable, Equatable {
  case complete
  /// More must follow; the next line begins with this.
  case incomplete(indent: String)
  case invalid
}
