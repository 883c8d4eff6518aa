import Testing
import TritLab
import _TritTestSupport

/// Files with hundreds of thousands of keys: read in linear time, told in a few lines. No time is
/// asserted; 300,000 unknown keys took ten seconds.
@Suite struct ManyKeysTests {
  @Test func unknownKeysOfAnExperimentAreCounted() throws {
    let keys = (0..<300_000).map { "k\($0): 1\n" }.joined()
    let folder = try TemporaryFolder("keys")
    let path = try folder.write("name: t\nmeasure: {weights: {}}\n" + keys, to: "many.yaml")
    let error = #expect(throws: LabErrors.self) { try ExperimentFile.read(path: path) }
    let problems = error?.problems ?? []
    #expect(problems.count == 200 && error?.omitted == 299_800, "\(problems.count)")
    #expect(problems.first?.what == "k0: unknown key")
    let text = error?.description ?? ""
    #expect(text.hasSuffix("… and 299980 more\n300000 problems") && text.utf8.count < 20_000)
  }

  @Test func aKeyAsLongAsAFileIsCut() throws {
    let folder = try TemporaryFolder("keys")
    // libyaml takes simple keys of at most 1,024 characters; in quotes after '?' any.
    let key = String(repeating: "quantizer", count: 100_000)
    let path = try folder.write(
      "name: t\nmeasure: {weights: {}}\n? \"\(key)\"\n: 1\n", to: "long.yaml")
    let error = #expect(throws: LabErrors.self) { try ExperimentFile.read(path: path) }
    #expect((error?.description.utf8.count ?? .max) < 5_000)
  }

  @Test func duplicateKeysAreFoundAtTheFirst() throws {
    let keys = (0..<200_000).map { "k\($0): 1\n" }.joined()
    let error = #expect(throws: LabError.self) {
      try YAMLReader.read(keys + "k0: 2\n", name: "x.yaml")
    }
    #expect(error?.place == "x.yaml:200001:1" && error?.got == "the first is at x.yaml:1:1")
  }

  @Test func jsonWithManyKeys() throws {
    let keys = (0..<300_000).map { "\"k\($0)\": \($0)" }.joined(separator: ",")
    let document = try JSONReader.read("{\(keys)}")
    #expect(document.object?.count == 300_000 && document["k299999"]?.integer == 299_999)
    let error = #expect(throws: LabError.self) {
      try JSONReader.read("{\(keys), \"k7\": 1}", path: "x")
    }
    #expect(error?.what.contains("'k7' is there twice") == true)
  }

  @Test func moreVariantsThanAnybodyMeansAreRefused() throws {
    let variants = (0..<1_200).map { "  - {name: v\($0), threads: \(1 + $0 % 1000)}\n" }.joined()
    let folder = try TemporaryFolder("variants")
    let path = try folder.write(
      "name: t\nmeasure: {weights: {}}\nvariants:\n" + variants, to: "v.yaml")
    let error = #expect(throws: LabError.self) { try ExperimentPlan(path: path) }
    #expect(error?.what == "the file has too many variants" && error?.got == "1200")
  }
}
