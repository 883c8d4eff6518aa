import Foundation
import TritExperiments
import TritKernels
import TritLab
import TritTraining

extension FuzzTarget {
  /// What the lab itself wrote, read again after whatever happened to it.
  static let records = [
    FuzzTarget(
      name: "records",
      summary: "results.jsonl: torn and changed lines; what is read is written as it was",
      grammar: .jsonLines, minimumAccepted: 0.1, sources: ["TritExperiments/Records"],
      seeds: {
        [
          #"""
          {"ended":"2026-11-20T10:25:12Z","experiment":"e","facts":{"kernel":"i2_s"},"id":"0123456789","index":0,"inputs":"ab",
          "label":"i2_s","metrics":{"perplexity.value":5.5,"weights.sqnr_db":null},"params":{"kernel":"i2_s"},"role":"variant",
          "schema":"trit/run/1","series":{"s":{"columns":{"x":[1,2,null]},"labels":["a","b","c"]}},"started":"2026-11-20T10:25:10Z",
          "status":"finished","texts":[{"agreement":3,"finish":"length","prompt":"p","promptTokens":2,"text":"t","tokens":[1,2]}],
          "undefined":{"weights.sqnr_db":"infinite: no weight was rounded","series.s.x":"not defined: the measurement gave no number"}}
          """#,
          #"""
          {"ended":"","experiment":"e","facts":{},"id":"ref","index":-1,"inputs":"","label":"reference","metrics":{},"params":{},
          "role":"reference","schema":"trit/run/1","series":{},"started":"","status":"failed","error":"what","texts":[]}
          """#,
        ].map { Array(($0.replacing("\n", with: " ") + "\n").utf8) }
      }
    ) { scratch in
      { bytes in
        let path = try scratch.write(bytes, to: "results.jsonl")
        let records = try ResultsLog(path).records
        let finished = try ResultsLog(path, dropsUnfinished: true).records
        try demand(
          finished.count == records.count { $0.status == .finished }, "finished records are kept")
        for record in records {
          let again = try RecordCoding.decode(RecordCoding.encode(record))
          try demand(
            again.id == record.id && again.series.count == record.series.count,
            "a record survives writing")
        }
        // A log is never refused: a line that cannot be read is none.
        if records.isEmpty { throw LabError(.badData, "no record") }
      }
    },
    FuzzTarget(
      name: "training-state", summary: "the checkpoint of a training: tensors and metadata",
      grammar: .safetensors,
      minimumAccepted: 0.05,
      sources: ["TritTraining/Run/TrainingState", "TritTraining/Model/ParameterSet"],
      seeds: {
        let training = try SmallTraining()
        return [
          try Seeds.file {
            try TrainingState(step: 3, seconds: 1.5, identity: "x").write(
              training.parameters, training.optimizer, to: $0)
          }
        ]
      }
    ) { scratch in
      let training = try SmallTraining()
      return { bytes in
        let path = try scratch.write(bytes, to: "state.safetensors")
        let state = try TrainingState.read(
          path, identity: "x", into: training.parameters, training.optimizer)
        try demand((state?.step ?? -1) >= 0, "a checkpoint that is there is read")
      }
    },
    FuzzTarget(
      name: "training-log", summary: "metrics.jsonl: what a training wound back to",
      grammar: .jsonLines,
      minimumAccepted: 0.5, sources: ["TritTraining/Run/TrainingLog"],
      seeds: {
        [
          """
          {"step": 1, "loss": 5.5, "seconds": 1.0, "tokens_per_second": 10}
          {"step": 2, "loss": 5.4}
          {"step": 2, "validation_loss": 5.3}

          """
        ].map { Array($0.utf8) }
      }
    ) { scratch in
      { bytes in
        let log = TrainingLog(path: try scratch.write(bytes, to: "metrics.jsonl"))
        let found = log.lines().count
        let validated = try log.rewind(to: 2)
        try demand(
          log.lines().count <= found && validated.allSatisfy { $0 <= 2 },
          "winding back adds nothing")
        if found == 0 { throw LabError(.badData, "no line") }
      }
    },
    FuzzTarget(
      name: "auto-memory", summary: "the file of what 'auto' measured",
      grammar: .text(words: ["\t", "i2_s/avx2=1/2/3", "int8", "both"]),
      minimumAccepted: 0.05, sources: ["TritKernels/Auto/AutoMemory"],
      seeds: {
        [
          "tritlab auto 1\n128\t256\tternary weights (scale per tensor)\tint8\tboth\ta\ta=1/2/3\tb=16/20.5/1e3\n"
            + "4\t8\tfloat32 weights\tfloat32\tdecode\tb\tb=1/1/1\n"
        ].map { Array($0.utf8) }
      }
    ) { scratch in
      { bytes in
        let path = try scratch.write(bytes, to: "auto.tsv")
        switch AutoMemory.read(path, conditions: .init(), candidates: ["a", "b"]) {
        case .success(let decisions):
          try demand(
            decisions.allSatisfy { $0.rows > 0 && $0.columns > 0 }, "a decision is about a matrix")
        case .failure(let damage): throw LabError(.badData, damage.note)
        }
      }
    },
  ]

  /// Something to read a checkpoint into.
  struct SmallTraining {
    let parameters: ParameterSet
    let optimizer: AdamW

    init() throws {
      parameters = ParameterSet(
        try ModelShape(
          ModelSizes(
            family: "bitnet", hidden: 8, feedForward: 8, layers: 1, heads: 2, keyValueHeads: 1,
            vocabulary: 8, context: 8)))
      optimizer = AdamW(parameters, pool: WorkerPool(threads: 1))
    }
  }
}
