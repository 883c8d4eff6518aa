internal import Foundation
public import TritCore
internal import TritEvaluation
internal import TritFormats
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
        "plugins": [
          "description":
            "Files of C or Swift that add stages, measures and figures, relative to this file.",
          "type": "array", "maxItems": ExperimentDecoder.maximumPlugins, "uniqueItems": true,
          "items": ["type": "string", "minLength": 1] as Object,
        ] as Object,
        "model": string(
          "A checkpoint folder, a GGUF file, hf:ORG/NAME, builtin:NAME, or a training file (.yaml)."
        ),
        "tokenizer": string(
          "A tokenizer in place of the models' own: tokenizer.json, tokenizer.model, a folder or a GGUF."
        ),
        "i2s-layout": layout,
        "reference": [
          "description": "What variants are compared with.",
          "anyOf": [["enum": ExperimentDecoder.referenceWords], ["$ref": "#/$defs/settings"]],
        ] as Object,
        "baseline": string(
          "The variant that differences are to, by name; the reference where nothing is said."),
        "detect": [
          "description":
            "The smallest differences that matter, by quantity, in its unit: a run that cannot see them warns.",
          "type": "object", "additionalProperties": false,
          "properties": Dictionary(
            uniqueKeysWithValues: PairedQuantity.detectable(lab).map {
              (
                $0.key,
                [
                  "type": "number", "minimum": ExperimentDecoder.detectRange.lowerBound,
                  "maximum": ExperimentDecoder.detectRange.upperBound,
                  "description": "\($0.title), in \($0.unit)",
                ] as Object
              )
            }) as Object,
        ] as Object,
        "base": ["$ref": "#/$defs/settings"] as Object,
        "sweep": sweep(settings),
        "design": design,
        "variants": [
          "description": "Named variants, each on top of the base.", "type": "array",
          "items": [
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": settings.merging(
              ["name": string("Unique in the file."), "published": published] as Object
            ) { $1 },
          ] as Object,
        ] as Object,
        "measure": measure(lab),
        "records": string(
          "Records of earlier runs, reported and drawn in place of 'measure': a results.jsonl, a folder, or a "
            + "glob."),
        "plots": [
          "description": "Figures to draw, and templates of your own for their data.",
          "type": "array", "items": plot(lab),
        ] as Object,
        "threads": integer("Threads of every variant.", ExperimentDecoder.threadRange),
        "seed": integer("The seed of everything random.", ExperimentDecoder.seedRange),
        "context": integer("Positions of the KV cache.", ExperimentDecoder.contextRange),
      ] as Object,
      "$defs": definitions(lab, settings: settings),
    ]
  }

  /// What others have published of a variant.
  private static var published: Object {
    func number(_ about: String, _ range: ClosedRange<Double>) -> Object {
      [
        "type": "number", "minimum": range.lowerBound, "maximum": range.upperBound,
        "description": about,
      ]
    }
    return [
      "description":
        "Published figures that the variant is held against; its model may be absent then.",
      "type": "array", "maxItems": ExperimentDecoder.maximumPublished,
      "items": [
        "type": "object", "additionalProperties": false,
        "required": ["metric", "value", "tolerance", "source"],
        "properties": [
          "metric": string("The figure as records name it: perplexity.value, tasks.arc_easy.acc."),
          "value": number("What was published.", ExperimentDecoder.publishedRange),
          "tolerance": number("How far from it is right.", ExperimentDecoder.toleranceRange),
          "source": string("Who published it, and where."),
          "windows": integer(
            "Windows from the first on, for perplexity.value.",
            1...PerplexityMeasure.windowLengths.upperBound),
        ] as Object,
      ] as Object,
    ]
  }

  /// Which points of a sweep are run.
  private static var design: Object {
    [
      "description": "Which points of the sweep are run.",
      "oneOf": SweepDesign.words.map { ["const": $0.name, "description": $0.summary] as Object },
    ]
  }

  /// Axes: lists of values, ranges of numbers, or choices with lists and ranges in them.
  private static func sweep(_ settings: Object) -> Object {
    let most = ExperimentPlan.maximumVariants
    var properties: Object = settings.mapValues { value in
      [
        "anyOf": [
          [
            "type": "array", "minItems": 1,
            "items": ["anyOf": [value, ["$ref": "#/$defs/grid"]] as [Any]] as Object,
          ] as Object,
          ["$ref": "#/$defs/range"], ["$ref": "#/$defs/grid"],
        ] as [Object]
      ] as Object
    }
    properties["design"] = design
    properties["random"] =
      [
        "description": "So many points, drawn by a seed from the full product.",
        "anyOf": [
          integer("How many.", 1...most),
          [
            "type": "object", "additionalProperties": false, "required": ["count"],
            "properties": [
              "count": integer("How many.", 1...most),
              "seed": integer("The seed; the experiment's else.", ExperimentDecoder.seedRange),
            ] as Object,
          ],
        ] as [Object],
      ] as Object
    return [
      "description": "Axes whose product is run; the last varies fastest.", "type": "object",
      "additionalProperties": false, "properties": properties,
    ]
  }

  /// A range of numbers in a sweep.
  private static var range: Object {
    let most = ExperimentPlan.maximumVariants
    return [
      "description": "Numbers from one end to the other, both included.",
      "type": "object", "additionalProperties": false, "required": ["from", "to"],
      "properties": [
        "from": ["type": "number"], "to": ["type": "number"],
        "step": [
          "type": "number", "description": "What is added, or multiplied with scale: log.",
        ] as Object,
        "count": integer("So many, evenly.", 2...most),
        "random": integer("So many, drawn by the experiment's seed.", 1...most),
        "scale": ["enum": SweepValues.scales],
      ] as Object,
      "oneOf": ["step", "count", "random"].map { ["required": [$0]] as Object },
    ]
  }

  private static func definitions(_ lab: Lab, settings: Object) -> Object {
    var list: Object = [
      "settings": [
        "type": "object", "additionalProperties": false, "properties": settings,
      ] as Object,
      "sampler": sampler(lab),
      "range": range,
      "grid": [
        "description": "A choice in long form whose parameters may be lists or ranges.",
        "type": "object", "minProperties": 1,
      ] as Object,
    ]
    for kind in lab.kinds(in: .layer, .model) { list[kind.key.rawValue] = stage(kind) }
    return list
  }

  /// How codes lie in tensors of I2_S.
  private static var layout: Object {
    [
      "description":
        "How the codes of I2_S tensors lie, which no file says; blocks128 where nothing is said.",
      "enum": I2SLayout.allCases.map(\.rawValue),
    ]
  }

  /// What a variant can choose.
  private static func settings(_ lab: Lab) -> Object {
    var list: Object = [
      "model": string(
        "Another model than the experiment's; a training file (.yaml) is trained first."),
      "i2s-layout": layout,
      "training-seed": integer(
        "The seed of the training, where the model is a training file; the file's else.",
        ExperimentDecoder.seedRange),
      "threads": integer("Threads.", ExperimentDecoder.threadRange),
      "seed": integer(
        "The seed of everything random; the experiment's else.", ExperimentDecoder.seedRange),
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

  private static func plot(_ lab: Lab) -> Object {
    let names = lab.figures.map { ["const": $0.key, "description": $0.summary] as Object }
    return [
      "anyOf": [
        ["oneOf": names],
        [
          "type": "object", "additionalProperties": false, "required": ["template", "data"],
          "properties": [
            "template": string("A gnuplot template beside this file."),
            "data": ["oneOf": names] as Object,
          ] as Object,
        ],
      ] as [Object]
    ]
  }

  private static func measure(_ lab: Lab) -> Object {
    let sections = lab.measures.map { definition in
      let fields = definition.fields.map { ($0.name, value($0)) }
      return (
        definition.key, section(definition.summary, Dictionary(uniqueKeysWithValues: fields))
      )
    }
    return [
      "description": "What is measured on every variant.", "type": "object",
      "additionalProperties": false, "minProperties": 1,
      "properties": Dictionary(uniqueKeysWithValues: sections),
    ]
  }

  private static func value(_ field: MeasureField) -> Object {
    let about = field.summary
    func list(_ items: Object) -> Object {
      ["type": "array", "minItems": 1, "description": about, "items": items]
    }
    switch field.form {
    case .integer(let range): return integer(about, range)
    case .real(let range):
      return [
        "type": "number", "minimum": range.lowerBound, "maximum": range.upperBound,
        "description": about,
      ]
    case .flag: return ["type": "boolean", "description": about]
    case .word(let words):
      let forms = words.map { word in
        word.summary.isEmpty
          ? ["const": word.name] as Object
          : ["const": word.name, "description": word.summary] as Object
      }
      return ["oneOf": forms, "description": about]
    case .text, .data, .questions: return string(about)
    case .integers(let range): return list(integer("One of them.", range))
    case .words(_, let pattern, _): return list(["type": "string", "pattern": pattern])
    case .sampler: return ["$ref": "#/$defs/sampler"]
    case .windows(let range):
      return [
        "description": about,
        "anyOf": [
          integer("Windows, at most.", range),
          [
            "type": "string", "pattern": "^[0-9]*:[0-9]*(/([0-9]+|all))?$",
            "description": "A part of the windows, half open and from 0.",
          ],
        ] as [Object],
      ]
    case .prompts:
      return list([
        "anyOf": [
          ["type": "string", "minLength": 1],
          [
            "type": "object", "additionalProperties": false, "required": ["text"],
            "properties": ["text": ["type": "string", "minLength": 1]],
          ],
        ] as [Object]
      ])
    }
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
    case .text: result["type"] = "string"
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
