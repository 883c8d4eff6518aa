import TritExperiments
import TritLab

extension FuzzTarget {
  /// Words of experiment and training files, the names of all stages among them.
  static let yamlWords: [String] = {
    let lab = Lab.standard
    let stages =
      lab[.quantizer].names + lab[.activations].names + lab[.kernel].names
      + lab[.packing].names + lab[.attention].names + lab[.cache].names
      + lab[.head].names
      + lab[.processor].names + lab[.sampler].names
    let keys = [
      "name", "description", "plugins", "model",
      "tokenizer", "reference", "base", "sweep", "variants",
      "measure", "records",
      "plots", "threads", "seed", "context", "quantizer", "activations", "kernel", "attention",
      "cache", "head",
      "sampler", "layers", "generate", "perplexity", "divergence", "tasks", "weights", "speed",
      "energy", "roofline",
      "prompts", "tokens", "data", "limit", "chunks", "prompt", "repetitions", "roofs", "output",
      "train", "valid",
      "optimisation", "steps", "batch", "length", "rate", "warmup", "schedule", "clip",
      "validation", "checkpoint",
      "openblas-f32", "none",
    ]
    let syntax = [
      ": ", "- ", "{", "}", "[", "]", ", ", "&a ", "*a", "<<: *a", "!!int ", "!x ", "|\n", ">-\n",
      "? ", "# ", "---\n",
      "...\n", "'", "\"", "%YAML 1.2\n", "\t", "~", "0x10", "0o7", "1_000", ".inf", ".nan", "yes",
      "2026-01-01", "@", "`",
      "\"blk.0.*\": {quantizer: none}", "{name: absmean, group: 64}",
    ]
    return stages + keys + syntax
  }()

  static let experiments = [
    """
    name: e
    description: >-
      Two lines
      of text.
    plugins: [mine.c, "~/other.swift"]
    model: builtin:storyteller
    reference: {quantizer: model, activations: model, kernel: reference, attention: flash, cache: f32, head: exact}
    base: {quantizer: {name: absmean, granularity: row}, activations: int8, threads: 1}
    sweep:
      kernel: [i2_s, tl1, auto]
      cache: [f32, int8]
    variants:
      - {name: A, quantizer: sign, layers: {"blk.0.*": {quantizer: none, activations: none, kernel: dequantize}}}
      - {name: B, sampler: {top-k: 10, temperature: 0.5}}
    measure:
      generate: {prompts: [Once, {text: One day}], tokens: 8, seed: 7}
      perplexity: {data: "builtin:storyteller/test:4", context: 32}
      divergence: {}
      tasks: {limit: 5}
      weights: {}
      speed: {prompt: 8, tokens: 4, repetitions: 2, roofs: true}
    plots: [perplexity-by-variant, task-accuracy, throughput]
    seed: 3
    """,
    "name: r\nrecords: runs/e\nplots: [throughput]\n",
    "name: f\nmodel: m.gguf\nsweep:\n  sampler:\n    - greedy\n    - {min-p: 0.1, temperature: 1.0}\nmeasure:\n"
      + "  roofline: {shapes: [64x128], tokens: [1, 2], milliseconds: 5}\n  energy: {context: 16, tokens: 4}\n",
  ]

  static let trainings = [
    """
    name: tiny
    output: models/tiny
    data: {train: "builtin:storyteller/train", valid: [a.txt, "b.jsonl:text"], tokens: 1000, valid-tokens: 300}
    tokenizer: {vocabulary: 300, bytes: 10000}
    model: {block: bitnet, hidden: 128, feed-forward: 384, layers: 4, heads: 4, key-value-heads: 2, context: 256}
    quantization: {quantizer: absmean, activations: int8}
    optimisation:
      steps: 300
      batch: 4
      length: 64
      rate: 0.002
      warmup: 20
      schedule: cosine
      weight-decay: 0.1
      second-stage: {start: 0.5, rate: 0.00125}
      clip: 1.0
    validation: {every: 40, sequences: 8}
    checkpoint: {every: 20}
    seed: 1
    threads: 2
    """
  ]

  /// Plans: what is to be done, before anything is done.
  static let plans = [
    FuzzTarget(
      name: "yaml", summary: "YAML: what is read is written and read again as the same",
      grammar: .text(words: yamlWords), minimumAccepted: 0.2, sources: ["TritExperiments/YAML"],
      seeds: { (experiments + trainings).map { Array($0.utf8) } }
    ) { _ in
      { bytes in
        let document = try YAMLReader.read(String(decoding: bytes, as: UTF8.self), name: "x.yaml")
        let text = YAMLWriter.text(document)
        let again = try YAMLReader.read(text, name: "again.yaml")
        try demand(
          YAMLWriter.text(again) == text, "YAML that is written is read as the same:\n\(text)")
      }
    },
    FuzzTarget(
      name: "experiment", summary: "experiment files, to their plan",
      grammar: .text(words: yamlWords),
      minimumAccepted: 0.05, share: 2,
      sources: ["TritExperiments/File", "TritExperiments/Plan"],
      seeds: { experiments.map { Array($0.utf8) } }
    ) { _ in
      { bytes in
        let document = try YAMLReader.read(String(decoding: bytes, as: UTF8.self), name: "x.yaml")
        try plan(document, [])
      }
    },
    FuzzTarget(
      name: "override", summary: "--set key.path=value, on an experiment file",
      grammar: .text(
        words: yamlWords + [
          "measure.speed.tokens=3", "sweep.kernel=[a,b]", "[0]", "\"a.b\".c=1", "=",
        ]),
      minimumAccepted: 0.05, sources: ["TritExperiments/File/Overrides"],
      seeds: {
        [
          "measure.speed.tokens=32\nsweep.kernel=[i2_s,tl1]\nbase.quantizer.granularity=tensor",
          "variants[0].name=C\nmeasure.generate.prompts[1].text=x\nvariants[0].layers.\"blk.0.*\".quantizer=absmean",
          "threads=2\nseed=5\nmodel=hf:a/b\nbase.kernel=i2_s",
        ].map { Array($0.utf8) }
      }
    ) { _ in
      let document = try YAMLReader.read(experiments[0], name: "x.yaml")
      return { bytes in
        let lines = String(decoding: bytes, as: UTF8.self).split(
          separator: "\n", omittingEmptySubsequences: false)
        try plan(document, lines.prefix(8).map(String.init))
      }
    },
    FuzzTarget(
      name: "training-file", summary: "training files", grammar: .text(words: yamlWords),
      minimumAccepted: 0.05,
      sources: ["TritExperiments/Training/TrainingFile"],
      seeds: { trainings.map { Array($0.utf8) } }
    ) { scratch in
      { bytes in
        do {
          let file = try TrainingFile.read(path: try scratch.write(bytes, to: "x.yaml"))
          try demand(file.settings.shape.layers > 0, "a training has a model")
        } catch let error as LabErrors {
          throw error
        }
      }
    },
    FuzzTarget(
      name: "stage-choice", summary: "name:key=value for every stage; what is legal is made",
      grammar: .text(
        words: yamlWords + [":", "=", ",", "group=64", "granularity=row", "k=40", "nan", "inf"]),
      minimumAccepted: 0.05,
      sources: ["TritCore/Lab/StageChoice", "TritCore/Lab/Registry", "TritCore/Suggestion"],
      seeds: {
        [
          "absmean:granularity=row", "hadamard-int4", "auto:loss=tail,k=40", "top-k:k=10",
          "int4:granularity=group,group=32", "twn:threshold=0.7",
        ].map { Array($0.utf8) }
      }
    ) { _ in
      { bytes in
        let choice = try StageChoice(parsing: String(decoding: bytes, as: UTF8.self))
        let again = try StageChoice(parsing: choice.description)
        try demand(again.name == choice.name, "a choice is written as it is read")
        let all = Lab.standard
        var refusals: [LabError] = []
        func make<P>(_ registry: Registry<P>) throws {
          do { _ = try registry.make(choice) } catch let error as LabError {
            refusals.append(error)
          }
        }
        try make(all[.quantizer])
        try make(all[.activations])
        try make(all[.packing])
        try make(all[.kernel])
        try make(all[.attention])
        try make(all[.cache])
        try make(all[.head])
        try make(all[.processor])
        try make(all[.sampler])
        if refusals.count == 9, let first = refusals.first { throw first }
      }
    },
  ]

  private static func plan(_ document: YAMLNode, _ overrides: [String]) throws {
    let file = try ExperimentFile.decode(
      document, path: "x.yaml", overrides: overrides, lab: .standard, plugins: { _, _ in })
    let plan = try ExperimentPlan(file)
    try demand(!plan.variants.isEmpty && !plan.listing.isEmpty, "a plan has a variant")
    for variant in plan.variants { _ = variant.selection }
  }
}
