import Foundation
import TritLab

extension FuzzTarget {
  /// What reads containers and documents.
  static let readers = [
    FuzzTarget(
      name: "gguf", summary: "GGUF files: header, listing, every tensor's bytes and floats",
      grammar: .gguf, minimumAccepted: 0.2,
      sources: ["TritFormats/GGUF", "TritFormats/TensorListing"],
      seeds: Seeds.gguf
    ) { scratch in
      { bytes in try walk(try GGUFFile(path: try scratch.write(bytes, to: "x.gguf"))) }
    },
    FuzzTarget(
      name: "safetensors", summary: "safetensors files: header, listing, every tensor",
      grammar: .safetensors, minimumAccepted: 0.05, sources: ["TritFormats/Safetensors"],
      seeds: Seeds.safetensors
    ) { scratch in
      { bytes in try walk(try SafetensorsFile(path: try scratch.write(bytes, to: "x.safetensors")))
      }
    },
    FuzzTarget(
      name: "sharded", summary: "an index and two shards",
      grammar: .pack([.json, .safetensors, .safetensors]),
      minimumAccepted: 0.05, sources: ["TritFormats/ShardedSafetensors"],
      seeds: {
        let files = try Seeds.safetensors()
        let index = """
          {"metadata":{"total_size":86},"weight_map":{"a":"model-1.safetensors","b":"model-1.safetensors",
          "c.weight":"model-1.safetensors","empty":"model-1.safetensors","x":"model-2.safetensors"}}
          """
        return [Pack.join([Array(index.utf8), files[0], files[1]])]
      }
    ) { scratch in
      { bytes in
        let parts = Pack.split(bytes, 3)
        try scratch.write(parts[0], to: "model.safetensors.index.json")
        try scratch.write(parts[1], to: "model-1.safetensors")
        try scratch.write(parts[2], to: "model-2.safetensors")
        try walk(try Safetensors.open(directory: scratch.folder))
      }
    },
    FuzzTarget(
      name: "json", summary: "JSON: what is read is written and read again as the same",
      grammar: .json,
      minimumAccepted: 0.3, sources: ["TritFormats/JSON"],
      seeds: {
        [
          #"{"a":[1,2.5,-3e10,true,null,{"b":"é\n\u00e9\ud83d\ude00"}],"c":{},"":[[]],"d":"x"}"#,
          #"[18446744073709551615,-0,1e-300,"\\\"\/\b\f\n\r\t",{"k":{"k":{"k":false}}}]"#,
        ].map { Array($0.utf8) }
      }
    ) { _ in
      { bytes in
        let value = try bytes.withUnsafeBytes { try JSONReader.read($0, path: "x.json") }
        for pretty in [false, true] {
          let again = try JSONReader.read(JSONWriter.text(value, pretty: pretty), path: "again")
          try demand(again == value, "JSON that is written is read as the same")
        }
      }
    },
    FuzzTarget(
      name: "config", summary: "config.json of a model", grammar: .json, minimumAccepted: 0.1,
      sources: [
        "TritModel/ModelConfiguration", "TritModel/RotaryConfiguration", "TritFormats/JSONField",
      ],
      seeds: {
        let scaled = SmallModel().config.replacing(
          #""rope_scaling":null"#,
          with:
            #""rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"#
            + #""original_max_position_embeddings":32}"#)
        return [
          SmallModel().config, SmallModel(isBitNet: true).config, SmallModel(isPacked: true).config,
          scaled,
        ]
        .map { Array($0.utf8) }
      }
    ) { scratch in
      { bytes in
        _ = try ModelConfiguration(huggingFace: try scratch.write(bytes, to: "config.json"))
      }
    },
    FuzzTarget(
      name: "questions", summary: "JSONL files of questions", grammar: .jsonLines,
      minimumAccepted: 0.1,
      sources: ["TritEvaluation/TaskDataset", "TritEvaluation/MultipleChoiceTask"],
      seeds: {
        [
          """
          {"context": "Who?", "choices": [" a", " b"], "answer": 0}
          {"kind": "count", "context": "How many é?", "choices": ["1", "2", "3"], "answer": 2}

          """
        ].map { Array($0.utf8) }
      }
    ) { scratch in
      { bytes in
        let dataset = try TaskDataset.load(try scratch.write(bytes, to: "x.jsonl"))
        for task in dataset.tasks {
          try demand(task.choices.indices.contains(task.answer), "the answer is one of the choices")
        }
      }
    },
    FuzzTarget(
      name: "tasks", summary: "records of the tasks of lm-evaluation-harness", grammar: .jsonLines,
      minimumAccepted: 0.1, sources: ["TritEvaluation/Tasks"],
      seeds: {
        [
          #"{"activity_label": "A", "ctx_a": "b", "ctx_b": "É c", "endings": ["[x] d", "e"], "label": "1"}"#,
          #"{"goal": "a", "sol1": "b", "sol2": "c", "label": 1}"#,
          #"{"question": "a", "choices": {"text": ["b", "c"], "label": ["A", "B"]}, "answerKey": "B"}"#,
          #"{"sentence": "a _ b", "option1": "c", "option2": "d", "answer": "2"}"#,
          #"{"question": "a", "subject": "anatomy", "choices": ["b", "c", "d", "e"], "answer": 3}"#,
          #"{"text": "a b c"}"#, #"{"page": " = A = \n ( b ) 's 1 @,@ 2 \" c \" \n"}"#,
        ].map { Array(($0 + "\n" + $0 + "\n").utf8) }
      }
    ) { scratch in
      { bytes in
        let path = try scratch.write(bytes, to: "x.jsonl")
        var refusal: (any Error)?
        var accepted = 0
        for name in [
          "hellaswag", "piqa", "arc_easy", "winogrande", "mmlu_anatomy", "lambada_openai",
          "wikitext",
        ] {
          let selection = try HarnessSelection([name])
          let options = HarnessOptions(resamples: 10)
          do {
            let data = try HarnessData(path, isAlone: true, environment: [:])
            var scorer = LengthScorer()
            let results = try HarnessEvaluation.measure(
              &scorer, selection, [try HarnessQuestions(selection.tasks[0], data, options)], options
            )
            try demand(
              results.tasks[0].outcomes.count == results.tasks[0].available,
              "every record is a question")
            let text = JSONWriter.text(results.document(model: "x", logsSamples: true))
            _ = try JSONReader.read(text)
            _ = HarnessTable.text(results)
            accepted += 1
          } catch let error as LabError {
            refusal = error
          }
        }
        if accepted == 0, let refusal { throw refusal }
      }
    },
    FuzzTarget(
      name: "gzip", summary: "files that are packed", grammar: .bytes, minimumAccepted: 0.5,
      sources: ["TritEvaluation/Gzip"],
      seeds: {
        // "a" and a sentence ten times, packed by Python's gzip.
        [
          "H4sIAAAAAAACA0sEAEO+t+gBAAAA",
          "H4sIAAAAAAACA/PPS05VKC3Iz1NIVCjJzE1VKMlILUpVKE8sBgqk5KfrKfiPqiBRBQDHqxUZVAEAAA==",
        ].compactMap { Data(base64Encoded: $0).map(Array.init) }
      }
    ) { scratch in
      { bytes in
        // What follows the mark of gzip is free: most inputs would have none.
        let path = try scratch.write([0x1F, 0x8B] + bytes.dropFirst(2), to: "x.gz")
        let limit = FileLimit("a fuzzed file", bytes: 1 << 20)
        do {
          let text = try GzipFile.read(path, limit: limit)
          try demand(text.count <= limit.bytes, "no more than the limit is unpacked")
        } catch let error as LabError {
          try demand(error.kind == .badData, "what cannot be unpacked is bad data")
        }
      }
    },
    FuzzTarget(
      name: "texts", summary: "texts to evaluate on: plain and JSONL", grammar: .jsonLines,
      minimumAccepted: 0.2,
      sources: ["TritEvaluation/TextDataset"],
      seeds: {
        ["{\"text\": \"one é\"}\n{\"text\": \"two\"}\n", "plain text\nof two lines\n"].map {
          Array($0.utf8)
        }
      }
    ) { scratch in
      { bytes in
        let path = try scratch.write(bytes, to: "x.jsonl")
        let isLines = bytes.first == UInt8(ascii: "{")
        let dataset = try TextDataset.load(
          isLines ? path + ":text" : try scratch.write(bytes, to: "x.txt"))
        try demand(
          dataset.byteCount == dataset.text.utf8.count && !dataset.text.isEmpty,
          "a data set has a text")
      }
    },
  ]

  /// Answers by the lengths of texts.
  private struct LengthScorer: RequestScorer {
    func answers(to requests: [TaskRequest]) throws -> [TaskAnswer] {
      requests.map {
        TaskAnswer(logLikelihood: -Double($0.continuation.utf8.count), isGreedy: true)
      }
    }

    func logLikelihood(of text: String) throws -> Double { -Double(text.utf8.count) }
  }

  /// Everything that can be asked of a container.
  static func walk(_ source: any TensorSource) throws {
    _ = TensorListing.lines(source)
    _ = JSONWriter.text(TensorListing.json(source))
    for info in source.tensors {
      let bytes = try source.bytes(info.name)
      try demand(bytes.count == info.byteCount, "a tensor has the bytes that its shape needs")
      // Touches them all, so that a wrong range is found.
      _ = bytes.reduce(0) { $0 ^ $1 }
      do { _ = try source.floats(info.name) } catch let error as LabError
        where error.kind == .badData
      {}
    }
  }
}
