import TritLab

extension FuzzTarget {
  /// Whole models; what opens is run.
  static let models = [
    FuzzTarget(
      name: "model-folder",
      summary: "config.json and model.safetensors; forward passes by what opens",
      grammar: .pack([.json, .safetensors]), minimumAccepted: 0.05, share: 2,
      sources: [
        "TritModel/Checkpoint", "TritModel/TernaryTensors", "TritModel/LayerResolver",
        "TritModel/Engine",
      ],
      seeds: {
        try [SmallModel(), SmallModel(isBitNet: true), SmallModel(isPacked: true, isBitNet: true)]
          .map { try $0.pack() }
      }
    ) { scratch in
      { bytes in
        let parts = Pack.split(bytes, 2)
        try scratch.write(parts[0], to: "config.json")
        try scratch.write(parts[1], to: "model.safetensors")
        try run(try Checkpoint(path: scratch.folder), scratch, choice: bytes.count)
      }
    },
    FuzzTarget(
      name: "model-gguf", summary: "models in GGUF files; forward passes by what opens",
      grammar: .gguf,
      minimumAccepted: 0.05, share: 2,
      sources: [
        "TritModel/Checkpoint", "TritModel/ModelConfiguration+GGUF", "TritFormats/GGUFField",
        "TritModel/Engine",
      ],
      seeds: {
        var wide = SmallModel(isPacked: true, isBitNet: true)
        wide.hidden = 128
        wide.feedForward = 128
        return [try SmallModel().gguf(.f32), try SmallModel().gguf(.q8_0), try wide.gguf(.i2_s)]
      }
    ) { scratch in
      { bytes in
        try run(
          try Checkpoint(path: try scratch.write(bytes, to: "model.gguf")), scratch,
          choice: bytes.count)
      }
    },
    FuzzTarget(
      name: "export", summary: "models that open are written as GGUF, opened again and compared",
      grammar: .pack([.json, .safetensors]), minimumAccepted: 0.02,
      sources: ["TritModel/Export", "TritFormats/GGUFWriter", "TritTokenization/Export"],
      seeds: {
        var wide = SmallModel(isPacked: true, isBitNet: true)
        wide.hidden = 128
        wide.feedForward = 128
        return try [SmallModel(), wide].map { try $0.pack() }
      }
    ) { scratch in
      { bytes in
        let parts = Pack.split(bytes, 2)
        try scratch.write(parts[0], to: "config.json")
        try scratch.write(parts[1], to: "model.safetensors")
        let checkpoint = try Checkpoint(path: scratch.folder)
        let types = GGUFExport.linearTypes
        let type = types[(Int(parts[0].last ?? 0) + bytes.count) % types.count]
        let path = scratch.path("out.gguf")
        var export = GGUFExport(checkpoint, linear: type)
        export.writesTokenizer = false
        do {
          try export.write(to: path)
        } catch let error as LabError where error.advice?.contains("f16") == true {
          // What a type of blocks has no room for.
          export = GGUFExport(checkpoint, linear: .f16)
          export.writesTokenizer = false
          try export.write(to: path)
        }
        let again = try Checkpoint(path: path)
        try demand(
          again.configuration.hiddenSize == checkpoint.configuration.hiddenSize
            && again.configuration.layers == checkpoint.configuration.layers,
          "an exported model has the shape that it had")
      }
    },
  ]

  /// Three tokens, then one: every stage of the engine runs.
  static func run(_ checkpoint: Checkpoint, _ scratch: Scratch, choice: Int) throws {
    let configuration = checkpoint.configuration
    _ = try checkpoint.contentDigest()
    var kernels = ["auto", "openblas", "dequantize"]
    // The oracle multiplies int8 activations, which a model without quantization has not.
    if configuration.quantization != nil { kernels.append("reference") }
    var selection = StageSelection()
    selection.kernel = StageChoice(kernels[choice % kernels.count])
    if selection.kernel.name == "openblas" { selection = .reference }
    let engine = try Engine(
      checkpoint: checkpoint, selection: selection,
      options: EngineOptions(threads: 1, maxContext: min(configuration.contextLength, 8), chunk: 4))
    let most = min(3, engine.contextLength - 1)
    guard most > 0 else { return }
    let logits = try engine.prefill((0..<most).map { $0 % engine.vocabularySize })
    try demand(logits.count == engine.vocabularySize, "there is a logit for each token")
    _ = try engine.decode(engine.vocabularySize - 1)
    scratch.forwardPasses += most + 1
  }
}
