import Foundation
import Testing
import TritLab

/// `trit compare` on real runs of the built-in tiny model.
@Suite struct CompareTests {
  private func run(_ folder: TemporaryFolder, _ words: [String]) throws -> CommandResult {
    try CommandRunner.run(words, folder: folder.path)
  }

  private func study(_ folder: TemporaryFolder, _ name: String, _ choice: String) throws -> String {
    try folder.write(
      """
      name: \(name)
      model: builtin:tiny
      base: {\(choice)}
      variants: [{name: it}]
      reference: none
      measure:
        perplexity: {data: text.txt, context: 32, chunks: 12}
        tasks: {limit: 10}
      """, to: "\(name).yaml")
    let result = try run(folder, ["run", "\(name).yaml", "-q"])
    #expect(result.status == 0, "\(result)")
    return result.out.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test func aGateFallsWhereAModelIsWorse() throws {
    let folder = try TemporaryFolder("compare")
    try folder.write(
      String(repeating: "Once upon a time there was a dog. The dog had a red ball. ", count: 60),
      to: "text.txt")
    let good = try study(folder, "good", "quantizer: model")
    let bad = try study(folder, "bad", "quantizer: sign")
    let equal = try run(folder, ["compare", good, good, "--tolerance", "0"])
    #expect(equal.status == 0 && equal.out.contains("identical"), "\(equal)")
    let worse = try run(folder, ["compare", good, bad, "--tolerance", "0.5", "--of", "perplexity"])
    #expect(worse.status == 2, "\(worse)")
    #expect(worse.out.contains("it") && worse.err.contains("worse than the tolerance"), "\(worse)")
    // The other way round it is better, and no tolerance is needed.
    let better = try run(folder, ["compare", bad, good, "--tolerance", "0", "--of", "perplexity"])
    #expect(better.status == 0, "\(better)")
    let json = try run(folder, ["compare", good, bad, "--json"])
    let document = try JSONReader.read(json.out)
    guard case .array(let list)? = document["comparisons"] else {
      Issue.record("no list: \(json)")
      return
    }
    let one = try #require(list.first)
    #expect(one["quantity"]?.string == "perplexity" && one["unit"]?.string == "%")
    #expect(try #require(one["value"]?.double) > 0)
    #expect(one["units"]?.int == 12 && one["method"]?.string == "clusters")
  }

  @Test func wrongOperandsAreToldWithWhatThereIs() throws {
    let folder = try TemporaryFolder("compare")
    try folder.write("Once upon a time there was a dog.", to: "text.txt")
    let none = try run(folder, ["compare", "runs/none"])
    #expect(none.status == 66 && none.err.contains("there is no run"), "\(none)")
    let quantity = try run(folder, ["compare", "runs", "--of", "perplexty"])
    #expect(quantity.status == 64 && quantity.err.contains("perplexity"), "\(quantity)")
    let empty = try run(folder, ["compare"])
    #expect(empty.status == 64, "\(empty)")
  }
}
