import Foundation
import Testing
import TritExperiments
import TritLab

/// Records of older versions are read, or refused by the name of their form.
@Suite struct OldFormTests {
  /// The first record of a run of `experiments/roofline.yaml`, as a build of 2026-11-28 00:06 UTC wrote it, before
  /// labs and plug-ins. Its type of records is that of commit 0117f8a.
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
}
