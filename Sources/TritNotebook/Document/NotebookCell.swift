/// What a cell is written in.
public enum CellLanguage: String, Sendable, CaseIterable, Codable {
  case swift
  case c
  /// An experiment file's text, in YAML.
  case experiment
}

/// A mark on a fence that says how its cell is treated.
public enum CellOption: String, Sendable, CaseIterable, Codable {
  /// The cell fails, and that is the point: a notebook fails where it does not.
  case raises
  /// Shown, never run: its fence is prose.
  case noRun = "no-run"
  /// A solution of an exercise: folded, and run like any other.
  case solution
  /// Runs where a model that is not built in is at hand; else it is shown and said to be skipped.
  case large
  /// Its constants can be set from outside (`NotebookKnob`).
  case parameters
  /// Its code is folded: what it gives is what matters.
  case folded
}

/// One cell of a notebook: code that is run.
public struct NotebookCell: Sendable, Equatable, Identifiable {
  /// Names the cell in its notebook: stable while cells are edited, unique (`c01`, or as Jupyter
  /// gives it).
  public var id: String
  /// What it is written in.
  public var language: CellLanguage
  /// Its text, without the fence.
  public var text: String
  /// The number of its first line in the notebook's file, from 1.
  public var line: Int
  /// Marks of its fence.
  public var options: Set<CellOption>

  /// A cell.
  public init(
    id: String, language: CellLanguage, text: String, line: Int = 1,
    options: Set<CellOption> = []
  ) {
    self.id = id
    self.language = language
    self.text = text
    self.line = line
    self.options = options
  }
}
