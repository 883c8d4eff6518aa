extension Report {
  /// `summary.md`.
  func markdown(plots: [DrawnPlot]) -> String {
    var text = "# \(ReportText.markdown(plan.file.name))\n\n"
    if let description = plan.file.description {
      text += ReportText.paragraphs(description.trimmed) + "\n\n"
    }
    if wasInterrupted {
      text += "> Interrupted: \(variants.filter { $0.status == .finished }.count) of "
      text += "\(plan.variants.count) variants are done. Run the same command again to go on.\n\n"
    }
    if let answer {
      text += "**\(Self.escaped(answer.sentence))**\n\n"
      text += answer.more.map { "- \(Self.escaped($0))\n" }.joined()
      text += answer.more.isEmpty ? "" : "\n"
    }
    text += publishedFigures()
    text += "## Results\n\n" + table() + "\n"
    text += "<details><summary>What the columns mean</summary>\n\n"
    for column in columns {
      text += "- **\(Self.escaped(column.title))**: \(Self.escaped(column.meaning))\n"
    }
    text += "\n</details>\n"
    if let reference {
      let stages = reference.params["kernel"].map { "kernel \(Self.escaped($0))" } ?? ""
      text += "\nThe reference is the same model with \(stages), quantizer "
      text += "\(Self.escaped(reference.params["quantizer"] ?? "")), activations "
      text += "\(Self.escaped(reference.params["activations"] ?? "")).\n"
    }
    if let floorText { text += "\n" + floorText + "\n" }
    text += failures()
    for plot in plots where plot.image != nil {
      text += "\n![\(Self.escaped(plot.title))](\(plot.image ?? ""))\n\n"
      text += "*\(Self.escaped(plot.caption))*\n"
    }
    text += differences() + tasks() + warningList() + ran() + comparison() + texts()
    text += "\n## Where these figures come from\n\n| | |\n|---|---|\n"
    for pair in provenance {
      text += "| \(Self.escaped(pair.key)) | \(Self.escaped(pair.value)) |\n"
    }
    text += "\nEverything else is beside this file: `results.jsonl` (one record a line), "
    text += "`metrics.csv`, `environment.json`, `experiment.yaml` (run it again with "
    text += "`trit run experiment.yaml`)"
    text += plots.isEmpty ? ".\n" : ", `plots/` (data, script and image of every figure).\n"
    return text
  }

  private func publishedFigures() -> String {
    let table = grid("Published figures", publishedTable, columns: "---|")
    guard !table.isEmpty else { return "" }
    return String(table.dropFirst()) + "\n"
      + publishedNotes.map { "- \(Self.escaped($0))\n" }.joined() + "\n"
  }

  private func table() -> String {
    let titles = ["Variant"] + columns.map(\.title)
    var text = "| " + titles.joined(separator: " | ") + " |\n"
    text += "|---|" + columns.map { _ in "---:|" }.joined() + "\n"
    for record in rows {
      var label = Self.escaped(record.label)
      if record.role == .reference { label = "*\(label)*" }
      if record.status != .finished { label += " (\(record.status.rawValue))" }
      let cells = columns.map { Self.escaped(cell(record, $0)) }
      text += "| " + ([label] + cells).joined(separator: " | ") + " |\n"
    }
    return text
  }

  private func warningList() -> String {
    guard !warnings.isEmpty else { return "" }
    return "\n## Warnings\n\n"
      + groupedWarnings.map {
        "- **\(Self.escaped($0.label))**\(Self.others($0.others)), \(Self.escaped($0.section)): "
          + "\(Self.escaped($0.text))\n"
      }.joined()
  }

  private func ran() -> String { grid("What ran", ranTable, columns: "---|") }

  private func tasks() -> String {
    grid("Tasks right, by kind of question", taskTable, columns: "---:|")
  }

  private func differences() -> String {
    let table = grid(differenceTitle, differenceTable, columns: "---:|")
    let notes = differenceNotes
    // Records without samples have no pairs, but a spread over seeds.
    let seeds = grid("Across seeds", seedTable, columns: "---:|")
    guard !table.isEmpty || !seeds.isEmpty || !notes.isEmpty else { return "" }
    return table + seeds + (seeds.isEmpty ? "" : "\n" + Self.seedNote + "\n") + "\n"
      + notes.map { Self.escaped($0) + "\n" }.joined(separator: "\n")
  }

  private func grid(_ title: String, _ table: [[String]], columns: String) -> String {
    guard let heading = table.first else { return "" }
    var text = "\n## \(title)\n\n| "
    text += heading.map(Self.escaped).joined(separator: " | ") + " |\n|---|"
    text += heading.dropFirst().map { _ in columns }.joined() + "\n"
    for row in table.dropFirst() {
      text += "| " + row.map(Self.escaped).joined(separator: " | ") + " |\n"
    }
    return text
  }

  private func failures() -> String {
    let failed = rows.filter { $0.error != nil }
    guard !failed.isEmpty else { return "" }
    var text = "\n## What failed\n\n"
    for record in failed {
      text += "**\(Self.escaped(record.label))**\n\n"
      text += ReportText.block(record.error ?? "") + "\n\n"
    }
    return text
  }

  private func comparison() -> String {
    var text = "\n## What was compared\n\n"
    let shared = sharedChoices.map { "\(Self.escaped($0.key)) \(ReportText.code($0.value))" }
      .joined(separator: ", ")
    if !shared.isEmpty { text += "All variants: \(shared).\n\n" }
    let keys = differingParameters
    guard !keys.isEmpty else { return text }
    text += "| Variant | " + keys.map(Self.escaped).joined(separator: " | ") + " |\n"
    text += "|---|" + keys.map { _ in "---|" }.joined() + "\n"
    for record in variants {
      let cells = keys.map { Self.escaped(record.params[$0] ?? "–") }
      text += "| " + ([Self.escaped(record.label)] + cells).joined(separator: " | ") + " |\n"
    }
    return text
  }

  private func texts() -> String {
    guard let first = rows.first(where: { !$0.texts.isEmpty }) else { return "" }
    var text = "\n## Texts\n"
    for (index, prompt) in first.texts.enumerated() {
      text += "\n### \(Self.escaped(prompt.prompt.trimmed))\n\n"
      for group in textGroups(index) {
        text += "**\(Self.escaped(group.labels.joined(separator: ", ")))**"
        if let agreement = group.text.agreement, !group.isReference {
          text += ": \(agreement) of \(group.text.tokens.count) tokens as the reference"
        }
        text += "\n\n\(ReportText.quotation(group.text.text))\n\n"
      }
    }
    return text
  }

  /// The texts of one prompt, equal ones together.
  func textGroups(
    _ index: Int
  ) -> [(labels: [String], text: GeneratedText, isReference: Bool)] {
    var groups: [(labels: [String], text: GeneratedText, isReference: Bool)] = []
    for record in rows where index < record.texts.count {
      let text = record.texts[index]
      if let known = groups.firstIndex(where: { $0.text.tokens == text.tokens }) {
        groups[known].labels.append(record.label)
        groups[known].text.agreement = groups[known].text.agreement ?? text.agreement
      } else {
        groups.append(([record.label], text, record.role == .reference))
      }
    }
    return groups
  }

  static func escaped(_ text: String) -> String { ReportText.markdown(text) }
}

extension String {
  /// The text without white space at either end.
  var trimmed: String {
    let body = drop { $0.isWhitespace }
    return String(body.reversed().drop { $0.isWhitespace }.reversed())
  }
}
