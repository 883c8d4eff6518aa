internal import Foundation
public import TritCore
internal import TritQuantization
internal import TritEvaluation
internal import TritFormats
internal import TritKernels
internal import TritModel
internal import TritTokenization
internal import TritStories
public import TritTraining

/// Carries out a training file: text, tokenizer, training, loss curve.
public struct TrainingJob {
  /// The file.
  public let file: TrainingFile
  /// The folder of the model.
  public let folder: String
  /// Whether a checkpoint in the folder is ignored.
  public let restart: Bool
  /// Threads.
  public let threads: Int

  private let lab: Lab

  /// A job; `output` and `threads` replace what the file says. Quantizers are looked up in
  /// `registries`, those that the file was checked against.
  public init(
    _ file: TrainingFile, output: String? = nil, threads: Int? = nil, restart: Bool = false,
    lab: Lab = .standard
  ) {
    self.file = file
    self.lab = lab
    folder = output ?? file.output
    self.restart = restart
    self.threads = threads ?? file.threads ?? ProcessInfo.processInfo.activeProcessorCount
  }

  /// Trains (or goes on training), writes the model, and draws the loss curve. `note` gets lines
  /// for the person who watches.
  public func run(
    observer: (TrainingEvent) -> Void, note: (String) -> Void
  ) throws -> TrainingOutcome {
    let lock = try Trainer.lock(folder)
    for part in ["", "/training"] { LeftoverFiles.remove(in: folder + part) }
    let tokenizer = try makeTokenizer(note)
    let corpus = try makeCorpus(tokenizer)
    note("text: \(corpus.train.count) tokens to train on, \(corpus.valid.count) held out")
    var settings = file.settings
    settings.shape = try shape(for: tokenizer)
    let floor = try floor(by: tokenizer)
    if let floor { note("entropy of the source: \(decimals(floor)) nats a token") }
    let trainer = try Trainer(
      settings, corpus: corpus, folder: folder,
      endOfText: tokenizer.endOfGeneration.min() ?? tokenizer.bos, restart: restart,
      lock: lock, pool: WorkerPool(threads: threads), quantizers: lab[.quantizer],
      activations: lab[.activations])
    note(
      "model: \(settings.shape.parameterCount) parameters, \(settings.quantizer) weights, "
        + "\(settings.activations) activations; \(OpenBLASRuntime.description), \(threads) threads")
    try AtomicFile.write(
      JSONWriter.text(settings.document, pretty: true) + "\n",
      to: folder + "/training/settings.json")
    defer {
      do {
        try LossCurve(folder: folder, name: settings.name, floor: floor).draw(note: note)
      } catch {
        note("the loss curve was not drawn: \(error)")
      }
    }
    let rate = ProductRate.measure(pool: trainer.model.pool)
    var pace: (tokens: Double, seconds: Double) = (0, 0)
    let outcome = try trainer.run { event in
      if case .step(let record, _, _) = event {
        pace.tokens += Double(settings.tokensPerStep)
        pace.seconds += Double(settings.tokensPerStep) / record.tokensPerSecond
      }
      observer(event)
    }
    if pace.seconds > 0 {
      let speed = pace.tokens / pace.seconds
      let useful = speed * settings.shape.operationsPerToken(length: settings.length)
      note(
        "speed: \(Int(speed.rounded())) tokens/s, \(Int((useful / 1e9).rounded())) Gflop/s of products, "
          + "\(Int((100 * useful / rate).rounded())) % of what OpenBLAS reached before "
          + "(\(Int((rate / 1e9).rounded())))")
    }
    return outcome
  }

  /// The model, now that the number of tokens is known.
  private func shape(for tokenizer: any Tokenizer) throws -> ModelShape {
    let shape = file.settings.shape
    guard let checkpoint = file.settings.checkpoint else {
      return try shape.with(vocabulary: tokenizer.vocabularySize)
    }
    // Checkpoints may have more rows than their tokenizer has tokens.
    guard tokenizer.vocabularySize <= shape.vocabulary else {
      throw LabError(
        .usage, "the tokenizer has more tokens than the checkpoint", at: checkpoint,
        expected: "at most \(shape.vocabulary)", got: "\(tokenizer.vocabularySize)",
        advice: "leave 'tokenizer' out: the checkpoint's own is taken then")
    }
    return shape
  }

  private func decimals(_ value: Double) -> String { String(format: "%.4f", value) }

  // MARK: Text

  /// The texts of some sources, as they are needed: stories without end, files whole.
  private func texts(_ sources: [String]) throws -> AnySequence<String> {
    let parts = try sources.map { source -> AnySequence<String> in
      if let stories = StoryDataset(named: source) {
        return AnySequence {
          var generator = stories.makeGenerator()
          return AnyIterator { generator.next().text }
        }
      }
      let text = try TextDataset.load(source).text
      return AnySequence([text])
    }
    return AnySequence(parts.lazy.joined())
  }

  private func makeTokenizer(_ note: (String) -> Void) throws -> any Tokenizer {
    let target = folder + "/tokenizer.json"
    switch file.tokenizer {
    case .file(let path):
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let source = isFolder.boolValue ? path + "/tokenizer.json" : path
      let tokenizer = try TokenizerLoader.load(path: source)
      guard source.hasSuffix(".json") else {
        throw LabError(
          .usage, "a trained model needs a tokenizer.json", at: "tokenizer", got: source)
      }
      let document = try JSONReader.readFile(source)
      try AtomicFile.write(JSONWriter.text(document, pretty: true) + "\n", to: target)
      // What belongs to it: a chat template, above all.
      let beside = (source as NSString).deletingLastPathComponent
      for name in ["tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"] {
        let path = beside.isEmpty ? name : beside + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { continue }
        try AtomicFile.write(
          try WholeFile.read(path, limit: .records), to: folder + "/" + name)
      }
      return tokenizer
    case .trained(let vocabulary, let limit):
      var trainer = try BytePairTrainer(vocabularySize: vocabulary)
      var bytes = 0
      for text in try texts(file.data.train) {
        trainer.add(text)
        bytes += text.utf8.count
        if bytes >= limit { break }
        try Interruption.check()
      }
      let trained = try trainer.train()
      note("tokenizer: \(trained.count) tokens from \(bytes) bytes of text")
      try trained.write(to: target)
      return try trained.tokenizer()
    }
  }

  private func makeCorpus(_ tokenizer: any Tokenizer) throws -> TokenCorpus {
    let data = file.data
    var train = try TokenCorpus.encode(
      try texts(data.train), by: tokenizer, limit: data.tokens)
    var valid: [Int32] = []
    if data.valid.isEmpty {
      let count = min(train.count / 20, data.validTokens)
      valid = Array(train.suffix(count))
      train.removeLast(count)
    } else {
      valid = try TokenCorpus.encode(
        try texts(data.valid), by: tokenizer, limit: data.validTokens)
    }
    return TokenCorpus(
      train: train, valid: valid, source: data.train.joined(separator: ", "))
  }

  /// Nats a token that no model can go below, where the held-out text is a built-in source: the
  /// entropy of its first stories over their tokens, end tokens included.
  private func floor(by tokenizer: any Tokenizer) throws -> Double? {
    guard file.data.valid.count == 1, let set = StoryDataset(named: file.data.valid[0]) else {
      return nil
    }
    let stories = set.stories(1000)
    let tokens = try stories.reduce(0) { sum, story in
      sum + 1
        + (try tokenizer.encode(story.text, addSpecial: false, parseSpecial: false).count)
    }
    return StoryEntropy(stories, summed: 100).natsPerToken(tokens: tokens)
  }
}
