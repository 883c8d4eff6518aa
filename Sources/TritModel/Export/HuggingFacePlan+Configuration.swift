import TritCore
import TritFormats
import TritKernels

extension HuggingFacePlan {
  /// `config.json`. `ends`: ids that end a generation, the main one first.
  func configuration(ends: [Int]) throws -> JSONValue {
    var configuration = try HuggingFaceConfiguration(checkpoint, form, ends: ends)
    if let type = floatType {
      // Version 5 of transformers writes `dtype`.
      configuration.set(configuration["dtype"] == nil ? "torch_dtype" : "dtype", .string(type))
    }
    configuration.set(
      "quantization_config", try quantization(configuration["quantization_config"]))
    return configuration.document
  }

  /// What the folder says of its linear layers: packed trits, masters, or nothing.
  private func quantization(_ stored: JSONValue?) throws -> JSONValue? {
    let trained = checkpoint.configuration.quantization
    var own: [(key: String, value: JSONValue)] = [
      ("quant_method", "bitnet"), ("linear_class", "autobitlinear"),
    ]
    switch export.form {
    case .packed: own.append(("quantization_mode", "offline"))
    case .bfloat16:
      guard !hasQuantizer, let trained else { return nil }
      if let stored { return stored }
      // The checks of activations leave masters alone here.
      guard trained.isOnline else { return nil }
      own.append(("quantization_mode", "online"))
    }
    if let epsilon = trained?.innerNormEpsilon {
      own.append(("use_rms_norm", true))
      own.append(("rms_norm_eps", JSONValue(epsilon)))
    }
    var members = stored?.object ?? []
    members.removeAll { member in own.contains { $0.key == member.key } }
    if stored == nil, !dense.isEmpty {
      // A list of one's own replaces that of transformers, which has the head.
      own.append(("modules_to_not_convert", JSONValue(["lm_head"] + dense.sorted())))
    }
    return .object(own + members)
  }

  // MARK: Reading back

  /// Opens the folder as anybody would and compares configuration and all tensors. Throws `badData`
  /// for the first that is not what it should be.
  func compare(at path: String, reading: ((Int, Int) -> Void)?) throws {
    let copy: Checkpoint
    do {
      copy = try Checkpoint(path: path, packings: export.lab[.packing])
    } catch var error as LabError {
      error.what = "the folder could not be read back: " + error.what
      throw error
    }
    try compareConfigurations(copy)
    let configuration = checkpoint.configuration
    let count = configuration.layers * LinearRole.allCases.count
    var done = 0
    for layer in 0..<configuration.layers {
      for role in checkpoint.plan.block.norms.sorted(by: { $0.rawValue < $1.rawValue }) {
        try compare(
          copy.normName(role, layer: layer), try checkpoint.norm(role, layer: layer) ?? [],
          try copy.norm(role, layer: layer) ?? [], copy, offset: gainOffset)
      }
      for role in checkpoint.plan.block.biases.sorted(by: { $0.rawValue < $1.rawValue }) {
        try compare(
          names.linear(role, layer: layer) + ".bias",
          ordered(try checkpoint.bias(role, layer: layer), role),
          try copy.bias(role, layer: layer), copy)
      }
      for role in LinearRole.allCases {
        try Interruption.check()
        try compare(
          names.innerNorm(role, layer: layer)[0],
          hasInnerNorms ? try checkpoint.innerNorm(role, layer: layer) ?? [] : [],
          try copy.innerNorm(role, layer: layer) ?? [], copy)
        try compare(role, layer, copy)
        checkpoint.release(role, layer: layer)
        copy.release(role, layer: layer)
        done += 1
        reading?(done, count)
      }
    }
    try compare(
      names.finalNorm, try checkpoint.finalNorm(), try copy.finalNorm(), copy, offset: gainOffset)
    try compareMatrix(checkpoint.embeddingName, copy.embeddingName, copy)
    if !checkpoint.tiesEmbeddings { try compareMatrix(checkpoint.headName, copy.headName, copy) }
  }

  private var hasInnerNorms: Bool { checkpoint.configuration.quantization?.innerNormEpsilon != nil }

  private func compareConfigurations(_ copy: Checkpoint) throws {
    try ConfigurationComparison(
      checkpoint.configuration, factors: try checkpoint.ropeFrequencyFactors(),
      copy.configuration, factors: nil
    ).check { what, expected, got in
      var error = differs(what)
      (error.expected, error.got) = (expected, got)
      return error
    }
    guard checkpoint.tiesEmbeddings == copy.tiesEmbeddings,
      checkpoint.plan.block == copy.plan.block
    else { throw differs("the block, or whether the head is the embedding,") }
    // Whether layers are packed, masters, or plain floats.
    let trained = checkpoint.configuration.quantization
    let got = copy.configuration.quantization
    let isWanted =
      export.form == .packed
      ? got?.isOnline == false && got?.quantizesActivations == true
      : hasQuantizer ? got == nil : got?.isOnline == trained?.isOnline
    guard isWanted, hasQuantizer || got?.innerNormEpsilon == trained?.innerNormEpsilon else {
      throw differs("how the layers are quantized")
    }
  }

  /// Vectors: what 16 bits round, and what was subtracted where it was larger than the gain.
  private func compare(
    _ name: String, _ before: [Float], _ after: [Float], _ copy: Checkpoint, offset: Float = 0
  ) throws {
    guard before.count == after.count else { throw differs(name) }
    let type = copy.source.info(name)?.type ?? .f32
    let greatest = before.reduce(0) { max($0, abs($1)) } + abs(offset)
    let bound = Float(ExportCheck.bound(type)) * greatest + abs(offset) * 0x1p-24
    for (a, b) in zip(before, after) where a != b {
      guard abs(a - b) <= bound else { throw differs(name) }
    }
  }

  private func compareMatrix(_ from: String, _ to: String, _ copy: Checkpoint) throws {
    guard let before = checkpoint.source.info(from), let after = copy.source.info(to),
      before.shape == after.shape
    else { throw differs(to) }
    let (rows, columns) = (before.shape[0], before.shape[1])
    let (a, b) = (
      try MatrixRows(from, in: checkpoint.source), try MatrixRows(to, in: copy.source)
    )
    let step = max(1, (1 << 18) / max(columns, 1))
    let (x, y) = (
      AlignedBuffer<Float>(count: step * columns), AlignedBuffer<Float>(count: step * columns)
    )
    var comparison = ExportCheck.Comparison()
    for start in stride(from: 0, to: rows, by: step) {
      try Interruption.check()
      let range = start..<min(start + step, rows)
      let count = range.count * columns
      try a.read(range, into: UnsafeMutableBufferPointer(rebasing: x.mutableBuffer[..<count]))
      try b.read(range, into: UnsafeMutableBufferPointer(rebasing: y.mutableBuffer[..<count]))
      comparison.add(
        UnsafeBufferPointer(rebasing: x.buffer[..<count]),
        UnsafeBufferPointer(rebasing: y.buffer[..<count]))
    }
    try check(comparison, to, before.type == after.type ? nil : after.type)
  }

  private func compare(_ role: LinearRole, _ layer: Int, _ copy: Checkpoint) throws {
    let stem = names.linear(role, layer: layer)
    let written = try copy.linear(role, layer: layer).weights
    let isDense = dense.contains(stem)
    if export.form == .packed, !isDense {
      let wanted = try trits(role, layer)
      guard case .ternary(let got) = written, got.scales == wanted.scales,
        withExtendedLifetime(
          (got, wanted),
          {
            got.trits.buffer.elementsEqual(wanted.trits.buffer)
          })
      else { throw differs(stem) }
      return
    }
    let wanted = isDense ? try source(role, layer).dequantized() : try floats(role, layer)
    let got = written.dequantized()
    var comparison = ExportCheck.Comparison()
    wanted.storage.span.withUnsafeBufferPointer { wanted in
      got.storage.span.withUnsafeBufferPointer { comparison.add(wanted, $0) }
    }
    try check(comparison, stem, copy.source.info(stem + ".weight")?.type)
  }

  /// Throws where a tensor is further off than its type rounds; nil: where it is off at all.
  private func check(_ comparison: ExportCheck.Comparison, _ name: String, _ type: TensorType?)
    throws
  {
    guard comparison.notFinite == nil,
      comparison.relative <= (type.map { ExportCheck.bound($0) } ?? 0)
    else { throw differs(name) }
  }

  private func differs(_ name: String) -> LabError {
    LabError(
      .badData,
      "\(name.contains(" ") ? name : "tensor '\(name)'") does not come back from the folder",
      at: checkpoint.path, expected: "what was written",
      advice: "keep the model in the format that it has")
  }
}
