import TritCore
public import TritNotebook

/// Answers every cell with why none can run, as where there is no compiler: a kernel that says so
/// in the notebook is of more use than one that does not start, whose words are in a log that few
/// know.
public final class MissingExecutor {
  private let failure: CellFailure

  /// Answers with `error`.
  public init(_ error: any Error) {
    failure = CellFailure(.compile, name: "LabError", message: "\(error)")
  }
}

extension MissingExecutor: CellExecutor {
  /// Fails with the reason.
  public func run(
    _ cell: NotebookCell, file: String, emit: @escaping @Sendable (CellOutput) -> Void
  ) -> CellFailure? {
    emit(.failure(failure))
    return failure
  }

  /// Nothing runs.
  public func interrupt() {}
  /// Nothing runs.
  public func end() {}
  /// None.
  public func completions(
    of text: String, in language: CellLanguage, at offset: Int
  ) -> CellCompletions {
    CellCompletions(matches: [], range: offset..<offset)
  }
  /// Nothing is known.
  public func inspection(of text: String, in language: CellLanguage, at offset: Int) -> String? {
    nil
  }
  /// Whatever it is, it is run, and answered with the reason.
  public func completeness(of text: String) -> CellCompleteness { .complete }
}
