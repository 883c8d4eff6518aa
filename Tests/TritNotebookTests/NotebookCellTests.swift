import Testing
import TritNotebook

@Suite struct NotebookCellTests {
  @Test func aCellThatShouldFailAndPassesIsNotAsExpected() {
    let cell = NotebookCell(id: "c01", language: .swift, text: "throw E()", options: [.raises])
    let run = ExecutedCell(cell: cell, outputs: [], state: .passed, number: 1, seconds: 0)
    #expect(!run.isAsExpected)
  }
}
