internal import Foundation

extension Report {
  /// `report.html`: one file without outside parts, for a phone or a printer as well as a desk.
  func html(plots: [DrawnPlot], directory: String) -> String {
    var body = "<h1>\(Self.html(plan.file.name))</h1>\n"
    if let description = plan.file.description {
      body += "<p class=\"lead\">\(Self.html(description.trimmed))</p>\n"
    }
    if wasInterrupted {
      let done = variants.filter { $0.status == .finished }.count
      body += "<p class=\"warning\">Interrupted: \(done) of \(plan.variants.count) variants are "
      body += "done. Run the same command again to go on.</p>\n"
    }
    body += "<h2>Results</h2>\n" + resultsTable()
    body += "<dl class=\"meanings\">\n"
    for column in columns {
      body += "<dt>\(Self.html(column.title))</dt><dd>\(Self.html(column.meaning))</dd>\n"
    }
    body += "</dl>\n"
    if let floorText { body += "<p>\(Self.html(floorText))</p>\n" }
    body += gridHTML(differenceTitle, differenceTable, isNumeric: true)
    let seeds = seedTable
    body += gridHTML("Across seeds", seeds, isNumeric: true)
    if !seeds.isEmpty { body += "<p>\(Self.html(Self.seedNote))</p>\n" }
    body += differenceNotes.map { "<p>\(Self.html($0))</p>\n" }.joined()
    body += warningsHTML() + gridHTML("What ran", ranTable, isNumeric: false)
    body += gridHTML("Tasks right, by kind of question", taskTable, isNumeric: true)
    body += failuresHTML()
    for plot in plots {
      guard let svg = plot.inlineSVG(directory: directory) else { continue }
      body += "<figure>\n\(svg)\n<figcaption>\(Self.html(plot.caption))</figcaption>\n</figure>\n"
    }
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

  private func resultsTable() -> String {
    var text = "<div class=\"scroll\"><table>\n<thead><tr><th>Variant</th>"
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
      + warnings.map {
        "<li class=\"warning\">\(Self.html($0.label)), \(Self.html($0.section)): "
          + "\(Self.html($0.text))</li>\n"
      }.joined() + "</ul>\n"
  }

  private func gridHTML(_ title: String, _ table: [[String]], isNumeric: Bool) -> String {
    guard let heading = table.first else { return "" }
    let kind = isNumeric ? " class=\"number\"" : ""
    var text =
      "<h2>\(Self.html(title))</h2>\n<div class=\"scroll\"><table>\n<thead><tr>"
    text += "<th>\(Self.html(heading[0]))</th>"
    text += heading.dropFirst().map { "<th\(kind)>\(Self.html($0))</th>" }.joined()
    text += "</tr></thead>\n<tbody>\n"
    for row in table.dropFirst() {
      text += "<tr><th scope=\"row\">\(Self.html(row[0]))</th>"
      text += row.dropFirst().map { "<td\(kind)>\(Self.html($0))</td>" }.joined()
      text += "</tr>\n"
    }
    return text + "</tbody>\n</table></div>\n"
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
    text += "<div class=\"scroll\"><table>\n<thead><tr><th>Variant</th>"
    text += keys.map { "<th>\(Self.html($0))</th>" }.joined() + "</tr></thead>\n<tbody>\n"
    for record in variants {
      text += "<tr><th scope=\"row\">\(Self.html(record.label))</th>"
      text += keys.map { "<td>\(Self.html(record.params[$0] ?? "–"))</td>" }.joined() + "</tr>\n"
    }
    return text + "</tbody>\n</table></div>\n"
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

  private static let style = """
    :root { --ink: #1b1f24; --paper: #fdfdfc; --soft: #5c6670; --line: #d9dde1; --band: #f1f3f5;
      --mark: #fff1c9; --accent: #0072b2; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #15181b; --soft: #9aa4ad;
      --line: #333a40; --band: #1e2327; --mark: #4a3c10; --accent: #56b4e9; } }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.55 system-ui, sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
    h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
    h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
    h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
    h4 { font-size: .95rem; margin: 0 0 .25rem; color: var(--accent); }
    .lead { color: var(--soft); max-width: 42rem; }
    .warning, .status { color: #d55e00; font-weight: 600; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-size: .92rem; min-width: 100%; }
    th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid var(--line);
      white-space: nowrap; }
    thead th { color: var(--soft); font-weight: 600; }
    tbody th { font-weight: 600; }
    .number { text-align: right; font-variant-numeric: tabular-nums; }
    tr.reference { background: var(--band); font-style: italic; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem;
      font-size: .88rem; color: var(--soft); }
    dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
    @media (max-width: 36rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
    figure { margin: 2rem 0; overflow-x: auto; }
    figure svg { width: 100%; min-width: 34rem; height: auto; background: #fff; border-radius: 6px; }
    figcaption { font-size: .85rem; color: var(--soft); margin-top: .4rem; overflow-wrap: anywhere; }
    .texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
    .texts section { background: var(--band); border-radius: 6px; padding: .8rem 1rem; }
    .texts p { margin: 0; overflow-wrap: anywhere; }
    mark { background: var(--mark); color: inherit; }
    .note { color: var(--soft); font-size: .85rem; margin-top: .5rem !important; }
    pre { background: var(--band); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto;
      white-space: pre-wrap; }
    """
}
