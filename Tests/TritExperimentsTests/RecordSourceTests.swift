import Foundation
import Testing
import TritLab

import TritExperiments

/// `records:` of a file, a folder, a folder of folders, a glob.
@Suite struct RecordSourceTests {
  private func run(
    _ folder: String, _ text: String, set: [String] = ["model=m"], out: String = "runs"
  ) throws -> RunOutcome {
    try AtomicFile.write(text, to: folder + "/x.yaml")
    return try ExperimentRunner.run(
      file: folder + "/x.yaml",
      options: RunOptions(set: set, outputDirectory: folder + "/" + out, threads: 2),
      backend: FakeBackend(), environment: ["PATH": ""])
  }

  private func report(_ folder: String, _ records: String) throws -> [String] {
    let outcome = try run(
      folder, "name: report\nrecords: \"\(records)\"\nplots: [perplexity-by-variant]", set: [],
      out: "reports")
    #expect(outcome.exitCode == 0)
    #expect(outcome.records.filter { $0.role == .reference }.count == 1)
    #expect(
      outcome.records.filter { $0.role == .variant }.map(\.index)
        == Array(0..<outcome.records.count - 1))
    return outcome.records.filter { $0.role == .variant }.map(\.label)
  }

  private static func study(_ name: String, _ caches: String) -> String {
    "name: \(name)\nsweep: {cache: [\(caches)]}\nmeasure: {perplexity: {data: t.txt}}"
  }

  @Test func foldersAndGlobsAreReadTogether() throws {
    try withTemporaryFolder { folder in
      let one = try run(folder, Self.study("one", "f32, f16"))
      let two = try run(folder, Self.study("two", "f16, int8"))
      #expect(try report(folder, one.directory + "/results.jsonl") == ["f32", "f16"])
      #expect(try report(folder, one.directory) == ["f32", "f16"])
      #expect(try report(folder, folder + "/runs/two") == ["f16", "int8"])
      // Equal labels of two experiments say which is whose; the second reference is a figure among
      // figures.
      let both = ["f32", "f16 (one)", "reference", "f16 (two)", "int8"]
      #expect(try report(folder, folder + "/runs/*/*/results.jsonl") == both)
      #expect(try report(folder, folder + "/runs/t*o").count == 2)
      // A newer run of an experiment counts; paths are relative to the file.
      let again = try run(folder, Self.study("one", "f32, f16"), set: ["model=m", "seed=2"])
      #expect(again.reused == 0)
      #expect(try report(folder, "runs/one").count == 5, "another seed is another record")
      #expect(two.exitCode == 0)
    }
  }

  @Test(arguments: ["nowhere/*", "nowhere", "empty"])
  func whatIsNotThereIsToldWithItsPlace(records: String) throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/empty", withIntermediateDirectories: true)
      let error = #expect(throws: LabError.self) { try report(folder, records) }
      #expect(
        error?.kind == .missingInput && error?.place?.hasSuffix("x.yaml:2:10: records") == true)
      #expect(error?.expected?.contains("a glob over them") == true)
    }
  }
}
