internal import TritEvaluation

/// What windows are, beside what was measured of them: only equal windows make pairs, and those of
/// one document are one draw.
struct WindowUnits {
  /// A number for each window (`[ScoringWindow].fingerprints`).
  let prints: [Double]
  /// The document of each window; nil where the text is one.
  let documents: [Double]?

  private static let print = "window_print"
  private static let document = "window_document"

  /// Those of a text that was cut.
  init(_ cut: TextWindows) {
    prints = cut.windows.fingerprints
    documents = cut.documents?.map { Double($0) }
  }

  /// Those of joined parts. Throws where the parts do not say.
  init(_ columns: PartColumns) throws {
    prints = try columns.values(Self.print)
    let numbers = columns.columns[Self.document]
    // Parts of an older program may lack them.
    documents = numbers?.count == prints.count ? numbers : nil
  }

  /// Columns of a part, with those of its windows.
  func adding(to columns: [String: [Double]]) -> [String: [Double]] {
    var columns = columns
    columns[Self.print] = prints
    columns[Self.document] = documents
    return columns
  }

  /// A table of samples of these windows.
  func table(_ columns: [String: [Double]]) -> SampleTable {
    var table = SampleTable(
      unit: "window", content: SampleTable.content(prints), columns: columns)
    table.columns["document"] = documents
    return table
  }
}
