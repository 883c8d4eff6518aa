import Foundation
import Testing
import TritLab

import TritExperiments

/// Parts of a plan: by number, by share, by label, by windows.
@Suite struct SelectionTests {
  private static let text = """
    name: part
    sweep: {cache: [f32, f16, int8], threads: [1, 2]}
    measure:
      generate: {prompts: [Once]}
      perplexity: {data: t.txt, chunks: 8}
    """

  private func plan() throws -> ExperimentPlan { try ExperimentPlan(decode(Self.text)) }

  private func selection(_ change: (inout VariantSelection) -> Void) -> VariantSelection {
    var selection = VariantSelection()
    change(&selection)
    return selection
  }

  @Test func sharesHaveEveryVariantOnce() throws {
    let plan = try plan()
    for count in 1...6 {
      let parts = try (1...count).map { number in
        try plan.selecting(selection { $0.shard = .init(number: number, count: count) })
          .variants.map(\.index)
      }
      #expect(parts.flatMap(\.self).sorted() == Array(0..<6))
      #expect(parts.allSatisfy { abs($0.count - 6 / count) <= 1 })
    }
    #expect(
      try plan.selecting(selection { $0.index = 4 }).variants.map(\.label) == ["int8 · 1 thread"])
    #expect(
      try plan.selecting(selection { $0.labels = ["f?? · 2*"] }).variants.map(\.index) == [1, 3])
    #expect(
      try plan.selecting(selection { $0.labels = ["int8*", "*1 thread"] }).variants.map(\.index)
        == [0, 2, 4, 5])
    // The parts know the whole.
    let part = try plan.selecting(selection { $0.index = 4 })
    #expect(part.study == plan.study && part.all.count == 6)
    #expect(part.variants[0].id == plan.variants[4].id)
  }

  @Test(arguments: ["0/4", "5/4", "1", "1/", "/4", "a/b", "1/0", "1/2/3", "-1/4"])
  func sharesThatThereAreNot(text: String) { #expect(VariantSelection.Shard(text) == nil) }

  @Test func whatIsNotThereIsAUsageError() throws {
    let plan = try plan()
    for wrong in [
      selection { $0.index = 6 }, selection { $0.labels = ["f23*"] },
      selection { $0.shard = .init(number: 7, count: 7) },
    ] {
      let error = #expect(throws: LabError.self) { try plan.selecting(wrong) }
      #expect(error?.kind == .usage && error?.expected != nil)
    }
  }

  // MARK: Windows

  @Test func windowsAreReadAsTheyAreWritten() throws {
    for text in ["4", "0:8", "8:16", "8:", ":8", "2:4/8", "2:4/all", "2:/8"] {
      let selection = try #require(WindowSelection(text), "\(text)")
      let written = text.hasPrefix(":") ? "0" + text : text
      #expect(selection.description == written)
      #expect(selection.isPart == text.contains(":"))
    }
    #expect(try WindowSelection("8:16")?.range(of: 13) == 8..<13)
    #expect(try WindowSelection(":")?.range(of: 13) == nil)
    for text in [
      "", ":", "a:b", "4:4", "5:3", "-1:3", "1:2:3", "0", "8:9/8", "1:2/x", "1:2/0", "1 :2",
    ] {
      #expect(WindowSelection(text) == nil, "\(text)")
    }
    #expect(throws: LabError.self) { try WindowSelection("13:20")?.range(of: 13) }
  }

  @Test func chunksOfAFileAreANumberOrAPart() throws {
    let windows = { (text: String) in
      try
        (decode("name: t\nmeasure: {perplexity: {data: t, chunks: \(text)}}").measure
        .sections[0].measure as? PerplexityMeasure)?.windows.description
    }
    #expect(try windows("3") == "3")
    #expect(try windows("0:3") == "0:3")
    let wrong = problems("name: t\nmeasure: {perplexity: {data: t, chunks: 3:1}}")
    #expect(wrong.first?.place == "x.yaml:2:41" && wrong.first?.got == "3:1", "\(wrong)")
    #expect(problems("name: t\nmeasure: {perplexity: {data: t, chunks: 0}}").count == 1)
  }

  /// Parts of one text are one study; another number of windows is another.
  @Test func partsOfATextAreOneStudy() throws {
    let study = { (chunks: String) in
      try ExperimentPlan(decode(Self.text, set: ["measure.perplexity.chunks=\(chunks)"])).study
    }
    #expect(try study("0:4/8") == study("8") && study("4:8/8") == study("8"))
    #expect(try study("0:4") == study("4:8"))
    #expect(try study("7") != study("8"))
  }
}
