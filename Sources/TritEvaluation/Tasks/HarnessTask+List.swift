import TritFormats

extension HarnessTask {
  /// Every task, MMLU's 57 subjects among them, in the order of listings.
  public static let all: [HarnessTask] =
    [
      wikitext, lambadaOpenAI, lambadaStandard, hellaswag, piqa, arcEasy, arcChallenge, winogrande,
      boolq, openbookqa, sciq,
    ] + HarnessGroup.mmluSubjects.flatMap { $0.subjects.map(mmlu) }

  /// The task called `name`.
  public static func named(_ name: String) -> HarnessTask? { all.first { $0.name == name } }

  private static let accuracies: [TaskMetric] = [.accuracy, .normalizedAccuracy]

  private static func prompt(
    _ question: String, _ target: JSONValue, _ choices: JSONValue? = nil
  ) -> [(key: String, value: JSONValue)] {
    [("doc_to_text", .string(question)), ("doc_to_target", target)]
      + (choices.map { [("doc_to_choice", $0)] } ?? [])
  }

  static let wikitext = HarnessTask(
    "wikitext", version: 2, dataset: "EleutherAI/wikitext_document_level",
    configuration: "wikitext-2-raw-v1", split: "test", exampleSplit: "train",
    outputType: "loglikelihood_rolling",
    metrics: [.wordPerplexity, .bytePerplexity, .bitsPerByte], examples: .random,
    settings: [("doc_to_text", "")]
  ) { fields in
    let page = try fields.string("page")
    // Words and bytes are those of the page as it is, not of the text that is scored.
    return .rolling(
      text: WikitextDetokenizer.text(of: page), words: PythonText.fieldCount(page),
      bytes: page.utf8.count)
  }

  static let lambadaOpenAI = lambada(
    "lambada_openai", "EleutherAI/lambada_openai", "default", examples: "test")
  static let lambadaStandard = lambada(
    "lambada_standard", "cimec/lambada", nil, examples: "validation")

  private static func lambada(
    _ name: String, _ dataset: String, _ configuration: String?, examples: String
  ) -> HarnessTask {
    HarnessTask(
      name, dataset: dataset, configuration: configuration, split: "test", exampleSplit: examples,
      outputType: "loglikelihood", metrics: [.perplexity, .accuracy], examples: .random,
      settings: prompt(
        "{{text.split(' ')[:-1]|join(' ')}}", "{{' '+text.split(' ')[-1]}}")
    ) { fields in
      let (front, last) = PythonText.withoutLastWord(try fields.string("text"))
      return .target(question: front, target: " " + last)
    }
  }

  static let hellaswag = HarnessTask(
    "hellaswag", dataset: "Rowan/hellaswag", split: "validation", exampleSplit: "train",
    metrics: accuracies, examples: .randomWithoutQuestion,
    settings: prompt("{{query}}", "{{label}}", "choices")
  ) { fields in
    let endings = try fields.strings("endings")
    let activity = try fields.string("activity_label")
    let first = try fields.string("ctx_a")
    let second = try fields.string("ctx_b")
    let context = first + " " + PythonText.capitalized(second)
    return .choice(
      question: wikiHow(activity + ": " + context), choices: endings.map(wikiHow),
      answer: try fields.digits("label", in: 0..<endings.count, meaning: "the label"))
  }

  /// Takes out the marks that WikiHow's articles have left in HellaSwag.
  private static func wikiHow(_ text: String) -> String {
    let titled = PythonText.replaced(PythonText.stripped(text), " [title]", ". ")
    return PythonText.replaced(PythonText.withoutBrackets(titled), "  ", " ")
  }

  static let piqa = HarnessTask(
    "piqa", dataset: "baber/piqa", split: "validation", exampleSplit: "train",
    metrics: accuracies, examples: .randomWithoutQuestion,
    settings: prompt("Question: {{goal}}\nAnswer:", "label", "{{[sol1, sol2]}}")
  ) { fields in
    .choice(
      question: "Question: " + (try fields.string("goal")) + "\nAnswer:",
      choices: [try fields.string("sol1"), try fields.string("sol2")],
      answer: try fields.integer("label", in: 0..<2, meaning: "the label"))
  }

  static let arcEasy = arc("arc_easy", "ARC-Easy")
  static let arcChallenge = arc("arc_challenge", "ARC-Challenge")

  private static func arc(_ name: String, _ configuration: String) -> HarnessTask {
    HarnessTask(
      name, dataset: "allenai/ai2_arc", configuration: configuration, split: "test",
      exampleSplit: "train", metrics: accuracies, examples: .random,
      settings: prompt(
        "Question: {{question}}\nAnswer:", "{{choices.label.index(answerKey)}}", "{{choices.text}}")
    ) { fields in
      let (choices, answer) = try labelled(fields) { $0 }
      return .choice(
        question: "Question: " + (try fields.string("question")) + "\nAnswer:", choices: choices,
        answer: answer)
    }
  }

  static let openbookqa = HarnessTask(
    "openbookqa", dataset: "allenai/openbookqa", configuration: "main", split: "test",
    exampleSplit: "train", metrics: accuracies, examples: .random,
    settings: prompt(
      "question_stem", "{{choices.label.index(answerKey.lstrip())}}", "{{choices.text}}")
  ) { fields in
    let (choices, answer) = try labelled(fields, PythonText.strippedInFront)
    return .choice(
      question: try fields.string("question_stem"), choices: choices, answer: answer)
  }

  /// Choices that have labels, and which of them the key names.
  private static func labelled(
    _ fields: RecordFields, _ key: (String) -> String
  ) throws -> (choices: [String], answer: Int) {
    let nested = try fields.object("choices")
    let texts = try nested.strings("text")
    let labels = try nested.strings("label", count: texts.count)
    let wanted = key(try fields.string("answerKey"))
    guard let answer = labels.firstIndex(where: { ExactString($0) == ExactString(wanted) }) else {
      throw fields.fault(
        "answerKey", "no choice has the label '\(wanted.prefix(40))'",
        expected: "one of: " + labels.prefix(8).joined(separator: ", "),
        advice: wanted.isEmpty ? RecordFields.unlabelled : nil)
    }
    return (texts, answer)
  }

  static let winogrande = HarnessTask(
    "winogrande", dataset: "allenai/winogrande", configuration: "winogrande_xl",
    split: "validation", exampleSplit: "train", metrics: [.accuracy],
    examples: .randomWithoutQuestion
  ) { fields in
    let sentence = try fields.string("sentence")
    guard let blank = sentence.unicodeScalars.firstIndex(of: "_") else {
      throw fields.fault(
        "sentence", "the sentence has no '_' for its options", expected: "a text with '_' in it",
        got: "'\(sentence.prefix(60))'")
    }
    let front = String(Substring(sentence.unicodeScalars[..<blank]))
    let behind = sentence.unicodeScalars[sentence.unicodeScalars.index(after: blank)...]
    return .context(
      contexts: [
        front + (try fields.string("option1")), front + (try fields.string("option2")),
      ],
      target: PythonText.stripped(String(Substring(behind))),
      answer: try fields.digits("answer", in: 1..<3, meaning: "the answer") - 1)
  }

  static let boolq = HarnessTask(
    "boolq", version: 2, dataset: "aps/super_glue", configuration: "boolq", split: "validation",
    exampleSplit: "train", metrics: [.accuracy], examples: .randomWithoutQuestion,
    settings: prompt(
      "{{passage}}\nQuestion: {{question}}?\nAnswer:", "label", ["no", "yes"])
  ) { fields in
    .choice(
      question: (try fields.string("passage")) + "\nQuestion: " + (try fields.string("question"))
        + "?\nAnswer:",
      choices: ["no", "yes"],
      answer: try fields.integer("label", in: 0..<2, meaning: "the label"))
  }

  static let sciq = HarnessTask(
    "sciq", dataset: "allenai/sciq", split: "test", exampleSplit: "train", metrics: accuracies,
    examples: .random,
    settings: prompt(
      "{{support.lstrip()}}\nQuestion: {{question}}\nAnswer:", 3,
      "{{[distractor1, distractor2, distractor3, correct_answer]}}")
  ) { fields in
    .choice(
      question: PythonText.strippedInFront(try fields.string("support")) + "\nQuestion: "
        + (try fields.string("question")) + "\nAnswer:",
      choices: try ["distractor1", "distractor2", "distractor3", "correct_answer"].map {
        try fields.string($0)
      }, answer: 3)
  }

  private static func mmlu(_ subject: String) -> HarnessTask {
    let letters = ["A", "B", "C", "D"]
    return HarnessTask(
      "mmlu_" + subject, alias: subject, dataset: "cais/mmlu", configuration: subject,
      split: "test", exampleSplit: "dev", metrics: [.accuracy],
      description: "The following are multiple choice questions (with answers) about "
        + "\(subject.replacing("_", with: " ")).\n\n",
      examples: .first,
      settings: prompt(
        "{{question.strip()}}\nA. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\n"
          + "D. {{choices[3]}}\nAnswer:", "answer", JSONValue(letters)),
      part: ("subject", subject)
    ) { fields in
      let choices = try fields.strings("choices", count: 4)
      let lines = zip(letters, choices).map { "\n\($0). \($1)" }.joined()
      return .choice(
        question: PythonText.stripped(try fields.string("question")) + lines + "\nAnswer:",
        choices: letters,
        answer: try fields.integer("answer", in: 0..<4, meaning: "the answer"))
    }
  }
}
