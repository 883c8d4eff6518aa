/// A notebook and what its cells gave: what pages and files are written from.
public struct ExecutedNotebook: Sendable {
  /// A piece of a notebook, in its order.
  public enum Piece: Sendable {
    /// Markdown between cells, inline values filled in.
    case prose(String)
    /// A cell, and what it gave.
    case cell(ExecutedCell)
  }

  /// The notebook's file, as it was named.
  public var path: String
  /// Its first heading, or the name of its file.
  public var title: String
  /// Its pieces.
  public var pieces: [Piece]
  /// For each piece of prose, in order, the values that were computed for its words; nil where
  /// there are none.
  var proseValues: [[String]?] = []
  /// What its cells have kept (`keep`), in order.
  public var kept: [KeptValue] = []

  /// Its cells, in order.
  public var cells: [ExecutedCell] {
    pieces.compactMap { if case .cell(let cell) = $0 { cell } else { nil } }
  }

  /// A notebook that was not run: the words of its prose are those of the file.
  public init(unrun notebook: Notebook) {
    let pieces = notebook.pieces.map { piece -> Piece in
      switch piece {
      case .prose(let text, _):
        let inline = InlineValues(text)
        return .prose(
          inline.replacing(with: inline.values.map { String(text[$0.word]) }, keepsComments: false))
      case .cell(let cell):
        return .cell(
          ExecutedCell(
            cell: cell, outputs: [], state: .skipped("the notebook was not run"), number: nil,
            seconds: 0))
      }
    }
    self.init(path: notebook.path, title: notebook.title, pieces: pieces)
  }

  /// A notebook that was run.
  public init(path: String, title: String, pieces: [Piece]) {
    self.path = path
    self.title = title
    self.pieces = pieces
  }
}

/// A cell and what it gave.
public struct ExecutedCell: Sendable {
  /// How running it ended.
  public enum State: Sendable, Equatable {
    case passed
    /// It failed; for a cell that is marked `raises` that is right.
    case failed(CellFailure)
    /// It was not run, for this reason.
    case skipped(String)
  }

  /// The cell.
  public var cell: NotebookCell
  /// What it gave.
  public var outputs: [CellOutput]
  /// How it ended.
  public var state: State
  /// Its number in the order of running, from 1; nil where it was not run.
  public var number: Int?
  /// How long it took, compilation with it.
  public var seconds: Double

  /// A cell that was run.
  public init(
    cell: NotebookCell, outputs: [CellOutput], state: State, number: Int?, seconds: Double
  ) {
    self.cell = cell
    self.outputs = outputs
    self.state = state
    self.number = number
    self.seconds = seconds
  }

  /// Whether it ended as its marks say.
  public var isAsExpected: Bool {
    switch state {
    case .passed: !cell.options.contains(.raises)
    case .failed: cell.options.contains(.raises)
    case .skipped: true
    }
  }
}
