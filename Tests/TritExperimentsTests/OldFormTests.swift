import Foundation
import Testing
import TritExperiments
import TritLab

/// Records of older versions are read, or refused by the name of their form.
@Suite struct OldFormTests {
  /// The first record of a run of `experiments/roofline.yaml`, as a build of 2026-11-28 00:06 UTC
  /// wrote it, before labs and plug-ins. Its type of records is that of commit 0117f8a.
  static let record = #"""
    {"ended":"2026-11-28T00:06:11Z","experiment":"roofline","facts":{"activations":"none","cac\#
    he":"f32","context":"256 of 256","head":"f32/openblas","kernels":"openblas","provenance":"\#
    absmean of the masters","roofline kernel":"openblas","warning: roofline":"others used the \#
    machine: its threads waited for a core 74 % of the time","weights":"ternary weights (scale\#
     per tensor)"},"id":"38dc4b62ae","index":-1,"inputs":"f05153679c319c7999290015185424a752c5\#
    02f0097a722700d3275752449245","label":"reference","metrics":{"memory.peak_bytes":287039488\#
    ,"model.bits_per_weight":32,"model.bytes_per_token":14680064,"model.cache_bytes_per_positi\#
    on":4096,"model.head_bytes":2097152,"model.held_bytes":12582912,"model.linear_bytes":12582\#
    912,"model.linear_parameters":3145728,"model.load_seconds":0.093427168,"model.parameters":\#
    3676416,"roofline.bits_per_weight":32,"roofline.disturbed":1,"roofline.first.share_of_roof\#
    ":0.1757492820704399,"roofline.fp32_peak":118212047209.70465,"roofline.int8_peak":47286782\#
    8262.07806,"roofline.is_float":1,"roofline.last.share_of_roof":0.1757492820704399,"rooflin\#
    e.last.tokens":1,"roofline.read_bytes_per_second":35621928912.84782,"roofline.zero_percent\#
    ":0},"params":{"activations":"none","attention":"naive","cache":"f32","head":"f32","kernel\#
    ":"openblas","model":"builtin:storyteller","quantizer":"model","seed":"1","threads":"1"},"\#
    role":"reference","schema":"trit/run/1","series":{"roofline.points":{"columns":{"bits_per_\#
    weight":[32],"bytes_per_second":[6260528432.397249],"operations_per_second":[3130264216.19\#
    86246],"share_of_roof":[0.1757492820704399],"tokens":[1]},"labels":["6912x2560"]}},"starte\#
    d":"2026-11-28T00:06:09Z","status":"finished","texts":[]}
    """#

  @Test func aRecordOfAnOlderVersionIsReported() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/results.jsonl"
      try AtomicFile.write(Self.record + "\n", to: path)
      let records = try ResultsLog.records(of: path)
      #expect(records.count == 1)
      #expect(records.first?.schema == "trit/run/1")
      #expect(records.first?.metrics["roofline.fp32_peak"] == 118212047209.70465)
      #expect(records.first?.facts["kernels"] == "openblas")
    }
  }

  @Test func aRecordOfAnotherFormIsRefusedByName() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/results.jsonl"
      let other = Self.record.replacing("trit/run/1", with: "trit/run/2")
      try AtomicFile.write(Self.record + "\n" + other + "\n", to: path)
      let error = #expect(throws: LabError.self) { try ResultsLog.records(of: path) }
      #expect(error?.place == path + ":2")
      #expect(error?.got == "trit/run/2" && error?.expected == "trit/run/1")
    }
  }

  // MARK: Folders of runs

  /// `environment.json` beside that record, as the same build wrote it.
  static let environment = #"""
    {"architecture":"x86_64","commit":"06d04138c756453426e467a0fab8a95543149ffe","cores":2,\#
    "cpu":"AMD EPYC","cpuFeatures":["avx2","avx512","avx512vnni","avx512vbmi","avx512bf16"],\#
    "data":[],"ended":"2026-11-28T00:06:13Z","experiment":"roofline",\#
    "kernels":{"i2_s":"i2_s/avx512vnni","reference":"openblas"},\#
    "loadAverage":"13.17 13.90 15.56","memoryBytes":25276502016,\#
    "models":[{"bytes":7483173,\#
    "digest":"db2b970eac5b010b281121d9eec05d26bc3bff1e48a8b015c8df7c1b565eb6b4",\#
    "name":"builtin:storyteller","path":"Resources/storyteller","reading":""}],\#
    "openBLAS":"OpenBLAS 0.3.21, core Cooperlake, 1 thread per call",\#
    "openBLASCore":"Cooperlake","openBLASVersion":"0.3.21","optimized":true,\#
    "plan":"197a37b5075838b1","program":"7f3aaec468586573","schema":"trit/environment/1",\#
    "seed":1,"started":"2026-11-28T00:06:09Z","swift":"6.3","threads":1,"version":"0.1.0"}
    """#

  /// `state.json` beside them, but for `isFinished`, which was true.
  static let state = """
    {
      "isFinished" : false,
      "plan" : "197a37b5075838b1",
      "schema" : "trit/run-state/1"
    }
    """

  private static let text = """
    name: roofline
    reference: none
    sweep: {kernel: [i2_s, reference]}
    measure: {speed: {}}
    """

  private func run(_ folder: String, _ backend: FakeBackend) throws -> RunOutcome {
    try AtomicFile.write(Self.text, to: folder + "/x.yaml")
    return try ExperimentRunner.run(
      file: folder + "/x.yaml",
      options: RunOptions(set: ["model=m"], outputDirectory: folder + "/runs", threads: 1),
      backend: backend, environment: ["PATH": ""])
  }

  /// A member of an old document that was given another type or none would break whoever reads it:
  /// `into` has all members of `old`, values of the same kind, however deep.
  private func expectMembers(of old: JSONValue, in new: JSONValue, _ path: String) {
    switch (old, new) {
    case (.object(let members), .object):
      // Keys that are labels of variants and not members.
      if path == ".kernels" { return }
      for (key, value) in members {
        guard let found = new[key] else {
          Issue.record("\(path).\(key) is gone")
          continue
        }
        expectMembers(of: value, in: found, "\(path).\(key)")
      }
    case (.array(let items), .array(let found)):
      if let first = items.first, let other = found.first {
        expectMembers(of: first, in: other, path + "[0]")
      }
    case (.string, .string), (.bool, .bool), (.null, _): break
    default: #expect(old.double != nil && new.double != nil, "\(path): \(old), now \(new)")
    }
  }

  /// Nothing of the lab reads `environment.json`; people's scripts do.
  @Test func theEnvironmentHasWhatItHad() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, FakeBackend())
      let now = try JSONReader.read(
        String(contentsOfFile: outcome.directory + "/environment.json", encoding: .utf8))
      let old = try JSONReader.read(Self.environment)
      #expect(now["schema"] == old["schema"])
      // What the system does not tell is left out.
      let optional = ["commit", "loadAverage"].filter { now[$0] == nil }
      guard case .object(let members) = old else { return }
      expectMembers(
        of: .object(members.filter { !optional.contains($0.key) }), in: now, "")
    }
  }

  /// The folder of an older build's run beside a new run: its records are looked at and not taken
  /// over, since another program made them; the run is not gone on with, since its plan is another;
  /// nothing in it is written to.
  @Test func aRunOfAnOlderBuildIsLeftAlone() throws {
    try withTemporaryFolder { folder in
      let old = folder + "/runs/roofline/2026-11-28T00-06-09Z"
      try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
      let files = [
        "results.jsonl": Self.record + "\n", "environment.json": Self.environment,
        "state.json": Self.state, "run.lock": "1 somewhere\n",
      ]
      for (name, text) in files { try AtomicFile.write(text, to: old + "/" + name) }
      let backend = FakeBackend()
      let outcome = try run(folder, backend)
      #expect(outcome.exitCode == 0 && outcome.directory != old)
      #expect(outcome.reused == 0 && backend.loaded.count == 2)
      for (name, text) in files {
        #expect(try String(contentsOfFile: old + "/" + name, encoding: .utf8) == text, "\(name)")
      }
    }
  }

  /// A `state.json` of this form is gone on with, one of a form that this build does not know is
  /// not, even with the same plan: what its records mean is not known.
  @Test func aStateOfAnotherFormIsNotGoneOnWith() throws {
    try withTemporaryFolder { folder in
      let stopped = FakeBackend()
      stopped.interruptAfter = 1
      let first = try run(folder, stopped)
      #expect(first.exitCode == 130)
      let path = first.directory + "/state.json"
      let state = try String(contentsOfFile: path, encoding: .utf8)
      let members = try JSONReader.read(state)
      #expect(members["isFinished"]?.bool == false && members["plan"]?.string?.count == 16)
      #expect(members["schema"]?.string == "trit/run-state/1")
      try AtomicFile.write(state.replacing("trit/run-state/1", with: "trit/run-state/2"), to: path)
      let second = try run(folder, FakeBackend())
      #expect(second.directory != first.directory && second.exitCode == 0)
      #expect(try String(contentsOfFile: path, encoding: .utf8).contains("run-state/2"))
    }
    // The old form, with the plan of now.
    try withTemporaryFolder { folder in
      let stopped = FakeBackend()
      stopped.interruptAfter = 1
      let first = try run(folder, stopped)
      let path = first.directory + "/state.json"
      let plan = try JSONReader.read(String(contentsOfFile: path, encoding: .utf8))["plan"]?.string
      let old = Self.state.replacing("197a37b5075838b1", with: try #require(plan))
      try AtomicFile.write(old + "\n", to: path)
      let second = try run(folder, FakeBackend())
      #expect(second.directory == first.directory && second.exitCode == 0)
    }
  }
}
