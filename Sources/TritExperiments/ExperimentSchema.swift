internal import Foundation
public import TritCore
internal import TritEvaluation
internal import TritModel
internal import TritSampling

/// The JSON Schema of experiment files, made from the lab: what `trit schema` prints.
///
/// Editors that know YAML and JSON Schema complete names and show summaries with it: put
/// `# yaml-language-server: $schema=trit.schema.json` at the top of a file.
public enum ExperimentSchema {
  /// The schema as text, draft 2020-12, keys sorted.
  public static func json(lab: Lab = .standard) -> String {
    
    let schema = root(lab)
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    guard let data = try? JSONSerialization.data(withJSONObject: schema, options: options) else {
      preconditionFailure("the schema is made of strings, numbers, lists and dictionaries")
    }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  private typealias Object = [String: Any]

  private static func root(_ lab: Lab) -> Object {
    let settings = settings(lab)
    return [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "TritLab experiment",
      "description": "An experiment file of TritLab: what is varied, what is measured.",
      "type": "object", "additionalProperties": false, "required": ["name"],
      "oneOf": [["required": ["measure"]], ["required": ["records"]]] as [Object],
      "properties": [
        "name": string("A short name; run directories are called after it."),
        "description": string("What is asked, in a sentence or two."),
        "model": string("A checkpoint folder, a GGUF file, hf:ORG/NAME or builtin:NAME."),
        "tokenizer": string(
          "A tokenizer in place of the models' own: tokenizer.json, tokenizer.model, a folder or a GGUF."
        ),
        "reference": [
          "description": "What variants are compared with.",
          "anyOf": [["enum": ExperimentDecoder.referenceWords], ["$ref": "#/$defs/settings"]],
        ] as Object,
        "base": ["$ref": "#/$defs/settings"] as Object,
        "sweep": [
          "description": "Axes whose product is run; the last varies fastest.", "type": "object",
          "additionalProperties": false,
          "properties": settings.mapValues {
            ["type": "array", "minItems": 1, "items": $0] as Object
          },
        ] as Object,
        "variants": [
          "description": "Named variants, each on top of the base.", "type": "array",
          "items": [
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": settings.merging(["name": string("Unique in the file.")]) { $1 },
          ] as Object,
        ] as Object,
        "measure": measure(),
        "records": string(
          "A results.jsonl of an earlier run: what is reported and drawn, in place of 'measure'."),
        "plots": [
          "description": "Figures to draw.", "type": "array",
          "items": [
            "oneOf": PlotKind.allCases.map {
              ["const": $0.rawValue, "description": $0.summary] as Object
            }
          ] as Object,
        ] as Object,
        "threads": integer("Threads of every variant.", ExperimentDecoder.threadRange),
        "seed": integer("The seed of everything random.", 0...(1 << 53)),
        "context": integer("Positions of the KV cache.", ExperimentDecoder.contextRange),
      ] as Object,
      "$defs": definitions(lab, settings: settings),
    ]
  }

  private static func definitions(_ lab: Lab, settings: Object) -> Object {
    var list: Object = [
      "settings": [
        "type": "object", "additionalProperties": false, "properties": settings,
      ] as Object,
      "sampler": sampler(lab),
    ]
    for kind in lab.kinds(in: .layer, .model) { list[kind.key.rawValue] = stage(kind) }
    return list
  }

  /// What a variant can choose.
  private static func settings(_ lab: Lab) -> Object {
    var list: Object = [
      "model": string("Another model than the experiment's."),
      "threads": integer("Threads.", ExperimentDecoder.threadRange),
      "sampler": ["$ref": "#/$defs/sampler"] as Object,
    ]
    func reference(_ kind: StageInformation) -> Object { ["$ref": "#/$defs/\(kind.key.rawValue)"] }
    for kind in lab.kinds(in: .layer, .model) { list[kind.key.rawValue] = reference(kind) }
    let perLayer = Dictionary(
      uniqueKeysWithValues: lab.kinds(in: .layer).map { ($0.key.rawValue, reference($0)) })
    list["layers"] =
      [
        "description": "Overrides by glob over blk.N.attn_q, …; blk.-1 is the last block.",
        "type": "object",
        "additionalProperties": [
          "type": "object", "additionalProperties": false, "properties": perLayer,
        ] as Object,
      ] as Object
    return list
  }

  /// A stage: a name, `name:key=value`, or the long form with the parameters of that name.
  private static func stage(_ kind: StageInformation) -> Object {
    ["anyOf": kind.words.map { ["const": $0] as Object } + forms(kind.descriptors)]
  }

  private static func forms(_ descriptors: [StageDescriptor]) -> [Object] {
    var forms: [Object] = []
    for descriptor in descriptors {
      let about = "\(descriptor.summary). Source: \(descriptor.source)"
      let spellings = [descriptor.name] + descriptor.aliases
      forms.append(["enum": spellings, "description": about])
      guard !descriptor.parameters.isEmpty else { continue }
      let pattern = spellings.map(NSRegularExpression.escapedPattern).joined(separator: "|")
      forms.append(["type": "string", "pattern": "^(\(pattern)):.+=.+$", "description": about])
      var properties: Object = ["name": ["enum": spellings] as Object]
      for parameter in descriptor.parameters { properties[parameter.name] = value(parameter) }
      forms.append([
        "type": "object", "additionalProperties": false, "required": ["name"],
        "properties": properties, "description": about,
      ])
    }
    return forms
  }

  private static func sampler(_ lab: Lab) -> Object {
    let samplers = forms(lab[.sampler].descriptors)
    var properties: Object = ["sampler": ["anyOf": samplers] as Object]
    for descriptor in lab[.processor].descriptors {
      var forms: [Object] = []
      forms.append(descriptor.parameters.first.map(value) ?? ["const": true])
      forms.append([
        "type": "object", "additionalProperties": false,
        "properties": Dictionary(
          uniqueKeysWithValues: descriptor.parameters.map { ($0.name, value($0)) }),
      ])
      for name in [descriptor.name] + descriptor.aliases {
        properties[name] = ["anyOf": forms, "description": descriptor.summary] as Object
      }
    }
    return [
      "description": "How the next token is drawn: a sampler, or processors in order.",
      "anyOf": samplers.filter { $0["type"] as? String != "object" } + [
        ["type": "object", "additionalProperties": false, "properties": properties]
      ],
    ]
  }

  private static func measure() -> Object {
    let tokens = ExperimentDecoder.tokenRange
    let data: Object = [
      "data": string("A text file, a folder, JSONL, or a known name such as wikitext-2-raw/test."),
      "field": string("The field to read of each line of a JSONL file."),
      "context": integer("Tokens a window.", ExperimentDecoder.contextRange),
      "chunks": integer("Windows, at most.", 1...ExperimentDecoder.contextRange.upperBound),
    ]
    let prompt: Object = [
      "anyOf": [
        ["type": "string", "minLength": 1],
        [
          "type": "object", "additionalProperties": false, "required": ["text"],
          "properties": ["text": ["type": "string", "minLength": 1]],
        ],
      ] as [Object]
    ]
    var perplexity = data
    perplexity["protocol"] = ["enum": ExperimentDecoder.protocols] as Object
    perplexity["stride"] = integer(
      "Tokens between windows.", 1...ExperimentDecoder.contextRange.upperBound)
    return [
      "description": "What is measured on every variant.", "type": "object",
      "additionalProperties": false, "minProperties": 1,
      "properties": [
        "generate": section(
          "Text, and how long it is the reference's.",
          [
            "prompts": ["type": "array", "minItems": 1, "items": prompt] as Object,
            "tokens": integer("New tokens, at most.", tokens),
            "sampler": ["$ref": "#/$defs/sampler"] as Object,
            "seed": integer("Seed of the draw.", 0...(1 << 53)),
            "stop": ["type": "boolean", "description": "Whether an end token ends the text."]
              as Object,
          ]),
        "perplexity": section("Perplexity of a text.", perplexity),
        "divergence": section("KL divergence from the reference, and what goes with it.", data),
        "tasks": section(
          "Accuracy on multiple-choice questions.",
          [
            "data": string("builtin:storyteller/tasks, or a JSONL file of questions."),
            "limit": integer("Questions, at most.", ExperimentDecoder.taskRange),
            "split": [
              "description": "Where context ends and choice begins, if a token spans both.",
              "oneOf": TaskSplit.descriptions.map {
                ["const": $0.name, "description": $0.summary] as Object
              },
            ] as Object,
          ]),
        "weights": section("Error, sparsity, entropy, bits a weight, bytes.", [:]),
        "speed": section(
          "Tokens a second.",
          [
            "prompt": integer("Tokens of the prompt.", tokens),
            "tokens": integer("Tokens that are generated.", tokens),
            "repetitions": integer(
              "Rounds in which both are measured, each variant once in every round.", 1...1000),
            "roofs": [
              "type": "boolean", "description": "Whether the machine's roofs are measured beside.",
            ] as Object,
          ]),
        "energy": section(
          "Arithmetic energy of a token by published figures; joules where the processor shows them.",
          [
            "context": integer("Positions that attention looks at.", 1...tokens.upperBound),
            "tokens": integer("Tokens between two readings; 0 reads none.", 0...tokens.upperBound),
            "float": ["enum": ExperimentDecoder.energyFloats, "description": "What is float."]
              as Object,
            "accumulator": [
              "enum": ExperimentDecoder.energyAccumulators,
              "description":
                "The adder of integer products: as the papers count, or as kernels do.",
            ] as Object,
          ]),
        "roofline": section(
          "The variant's kernel against what the machine can read and multiply.",
          [
            "tokens": [
              "type": "array", "minItems": 1,
              "items": integer("Tokens multiplied together.", ExperimentDecoder.rooflineTokens),
            ] as Object,
            "shapes": [
              "type": "array", "minItems": 1,
              "description": "Shapes of matrices; the model's own where nothing is said.",
              "items": ["type": "string", "pattern": "^[0-9]+x[0-9]+$"],
            ] as Object,
            "milliseconds": integer("How long each point is measured.", 1...10_000),
            "zero_percent": integer(
              "Percent of the activations that are 0.", ExperimentDecoder.rooflineZeros),
          ]),
      ] as Object,
    ]
  }

  private static func section(_ description: String, _ properties: Object) -> Object {
    [
      "description": description,
      "anyOf": [
        ["type": ["boolean", "null"]],
        ["type": "object", "additionalProperties": false, "properties": properties],
      ] as [Object],
    ]
  }

  private static func string(_ description: String) -> Object {
    ["type": "string", "minLength": 1, "description": description]
  }

  private static func integer(_ description: String, _ range: ClosedRange<Int>) -> Object {
    [
      "type": "integer", "minimum": range.lowerBound, "maximum": range.upperBound,
      "description": description,
    ]
  }

  private static func value(_ parameter: ParameterDescriptor) -> Object {
    var result: Object = ["description": parameter.summary]
    switch parameter.domain {
    case .integer(let range):
      result["type"] = "integer"
      result["minimum"] = range.lowerBound
      result["maximum"] = range.upperBound
    case .real(let range):
      result["type"] = "number"
      result["minimum"] = range.lowerBound
      result["maximum"] = range.upperBound
    case .choice(let words): result["enum"] = words
    case .flag: result["type"] = "boolean"
    }
    switch parameter.defaultValue {
    case .integer(let value): result["default"] = value
    case .real(let value): result["default"] = value
    case .text(let value): result["default"] = value
    case .flag(let value): result["default"] = value
    }
    return result
  }
}
