internal import Foundation

extension Report {
  /// `report.html`: one file without outside parts, for a phone or a printer as well as a desk.
  func html(plots: [DrawnPlot], directory: String) -> String {
    var body = "<h1>\(Self.html(plan.file.name))</h1>\n"
    if let description = plan.file.description {
      body += "<p class=\"lead\">\(Self.html(description.trimmed))</p>\n"
    }
    body += answerHTML()
    if wasInterrupted {
      let done = variants.filter { $0.status == .finished }.count
      body += "<p class=\"warning\">Interrupted: \(done) of \(plan.variants.count) variants are "
      body += "done. Run the same command again to go on.</p>\n"
    }
    body += gridHTML("Published figures", publishedTable, isNumeric: false)
    let notes = publishedNotes.map { "<li>\(Self.html($0))</li>" }.joined(separator: "\n")
    if !notes.isEmpty { body += "<ul class=\"more\">\n\(notes)\n</ul>\n" }
    body += "<h2>Results</h2>\n" + resultsTable()
    body += "<details><summary>What the columns mean</summary>\n<dl class=\"meanings\">\n"
    for column in columns {
      body += "<dt>\(Self.html(column.title))</dt><dd>\(Self.html(column.meaning))</dd>\n"
    }
    body += "</dl></details>\n"
    if let floorText { body += "<p>\(Self.html(floorText))</p>\n" }
    body += failuresHTML()
    for plot in plots {
      guard let svg = plot.inlineSVG(directory: directory) else { continue }
      body += "<figure>\n\(Self.scroll("Figure: \(plot.name)"))\(svg)\n</div>\n"
      body += "<figcaption>\(Self.html(plot.caption))</figcaption>\n</figure>\n"
    }
    body += gridHTML(differenceTitle, differenceTable, isNumeric: true)
    let seeds = seedTable
    body += gridHTML("Across seeds", seeds, isNumeric: true)
    if !seeds.isEmpty { body += "<p>\(Self.html(Self.seedNote))</p>\n" }
    body += differenceNotes.map { "<p>\(Self.html($0))</p>\n" }.joined()
    body += gridHTML("Tasks right, by kind of question", taskTable, isNumeric: true)
    body += warningsHTML() + gridHTML("What ran", ranTable, isNumeric: false)
    body += textsHTML() + comparisonHTML() + provenanceHTML()
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <title>\(Self.html(plan.file.name))</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      <main>
      \(body)</main>
      </body>
      </html>

      """
  }

  private func answerHTML() -> String {
    guard let answer else { return "" }
    let more = answer.more.map { "<li>\(Self.html($0))</li>" }.joined(separator: "\n")
    return "<p class=\"answer\">\(Self.html(answer.sentence))</p>\n"
      + (more.isEmpty ? "" : "<ul class=\"more\">\n\(more)\n</ul>\n")
  }

  /// A box that scrolls by itself where a phone is narrower than what is in it; keys reach it.
  private static func scroll(_ name: String) -> String {
    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(html(name))\">"
  }

  /// Rows that are shown without being asked for: longer tables beside the results are folded.
  private static let mostRows = 24

  private static func folded(_ rows: Int) -> String {
    rows > mostRows ? "<details><summary>\(rows) rows</summary>\n" : ""
  }

  private static func unfolded(_ rows: Int) -> String { rows > mostRows ? "</details>\n" : "" }

  private func resultsTable() -> String {
    var text = Self.scroll("Results") + "<table>\n<thead><tr><th>Variant</th>"
    for column in columns { text += "<th class=\"number\">\(Self.html(column.title))</th>" }
    text += "</tr></thead>\n<tbody>\n"
    for record in rows {
      let kind = record.role == .reference ? " class=\"reference\"" : ""
      text += "<tr\(kind)><th scope=\"row\">\(Self.html(record.label))"
      if record.status != .finished {
        text += " <span class=\"status\">\(record.status.rawValue)</span>"
      }
      text += "</th>"
      for column in columns {
        text += "<td class=\"number\">\(Self.html(cell(record, column)))</td>"
      }
      text += "</tr>\n"
    }
    return text + "</tbody>\n</table></div>\n"
  }

  private func warningsHTML() -> String {
    guard !warnings.isEmpty else { return "" }
    return "<h2>Warnings</h2>\n<ul>\n"
      + groupedWarnings.map {
        "<li class=\"warning\">\(Self.html($0.label))\(Self.others($0.others)), \(Self.html($0.section)): "
          + "\(Self.html($0.text))</li>\n"
      }.joined() + "</ul>\n"
  }

  private func gridHTML(_ title: String, _ table: [[String]], isNumeric: Bool) -> String {
    guard let heading = table.first else { return "" }
    let kind = isNumeric ? " class=\"number\"" : ""
    var text = "<h2>\(Self.html(title))</h2>\n\(Self.folded(table.count - 1))\(Self.scroll(title))"
    text += "<table>\n<thead><tr>"
    text += "<th>\(Self.html(heading[0]))</th>"
    text += heading.dropFirst().map { "<th\(kind)>\(Self.html($0))</th>" }.joined()
    text += "</tr></thead>\n<tbody>\n"
    for row in table.dropFirst() {
      text += "<tr><th scope=\"row\">\(Self.html(row[0]))</th>"
      text += row.dropFirst().map { "<td\(kind)>\(Self.html($0))</td>" }.joined()
      text += "</tr>\n"
    }
    return text + "</tbody>\n</table></div>\n" + Self.unfolded(table.count - 1)
  }

  private func failuresHTML() -> String {
    let failed = rows.filter { $0.error != nil }
    guard !failed.isEmpty else { return "" }
    var text = "<h2>What failed</h2>\n"
    for record in failed {
      text += "<h3>\(Self.html(record.label))</h3>\n<pre>\(Self.html(record.error ?? ""))</pre>\n"
    }
    return text
  }

  private func textsHTML() -> String {
    guard let first = rows.first(where: { !$0.texts.isEmpty }) else { return "" }
    var text = "<h2>Texts</h2>\n"
    text +=
      "<p>Equal texts stand together. Where a text leaves the reference's, it is marked.</p>\n"
    for (index, prompt) in first.texts.enumerated() {
      text += "<h3>“\(Self.html(prompt.prompt.trimmed))”</h3>\n<div class=\"texts\">\n"
      let groups = textGroups(index)
      let base = groups.first { $0.isReference }?.text.text
      for group in groups {
        text += "<section><h4>\(Self.html(group.labels.joined(separator: ", ")))</h4>\n<p>"
        text += Self.marked(group.text.text, against: group.isReference ? nil : base) + "</p>\n"
        if let agreement = group.text.agreement, !group.isReference {
          text += "<p class=\"note\">\(agreement) of \(group.text.tokens.count) tokens as the "
          text += "reference</p>\n"
        }
        text += "</section>\n"
      }
      text += "</div>\n"
    }
    return text
  }

  /// The text with what differs from `base` marked, from the first difference on.
  private static func marked(_ text: String, against base: String?) -> String {
    guard let base else { return lines(text) }
    let same = zip(text, base).prefix { $0 == $1 }.count
    let head = String(text.prefix(same))
    let tail = String(text.dropFirst(same))
    return tail.isEmpty ? lines(head) : lines(head) + "<mark>" + lines(tail) + "</mark>"
  }

  private static func lines(_ text: String) -> String {
    html(text).replacingOccurrences(of: "\n", with: "<br/>")
  }

  private func comparisonHTML() -> String {
    var text = "<h2>What was compared</h2>\n"
    let shared = sharedChoices.map { "\(Self.html($0.key)) <code>\(Self.html($0.value))</code>" }
    if !shared.isEmpty { text += "<p>All variants: \(shared.joined(separator: ", ")).</p>\n" }
    let keys = differingParameters
    guard !keys.isEmpty else { return text }
    text +=
      Self.folded(variants.count) + Self.scroll("What was compared")
      + "<table>\n<thead><tr><th>Variant</th>"
    text += keys.map { "<th>\(Self.html($0))</th>" }.joined() + "</tr></thead>\n<tbody>\n"
    for record in variants {
      text += "<tr><th scope=\"row\">\(Self.html(record.label))</th>"
      text += keys.map { "<td>\(Self.html(record.params[$0] ?? "–"))</td>" }.joined() + "</tr>\n"
    }
    return text + "</tbody>\n</table></div>\n" + Self.unfolded(variants.count)
  }

  private func provenanceHTML() -> String {
    var text = "<h2>Where these figures come from</h2>\n<dl class=\"provenance\">\n"
    for pair in provenance {
      text += "<dt>\(Self.html(pair.key))</dt><dd>\(Self.html(pair.value))</dd>\n"
    }
    text += "</dl>\n<p>Beside this file: <code>results.jsonl</code>, <code>metrics.csv</code>, "
    text += "<code>environment.json</code>, <code>experiment.yaml</code> (run it again with "
    return text + "<code>trit run experiment.yaml</code>) and <code>plots/</code>.</p>\n"
  }

  /// Text as it stands in HTML.
  static func html(_ text: String) -> String { ReportText.html(text) }
}
