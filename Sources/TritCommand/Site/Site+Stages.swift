import TritLab

/// The pages of a kind of stage: what it is, and one page for each group of implementations.
extension Site {
  /// A group of a kind that the lab has something of.
  private struct Shown {
    let words: SiteWords.Group
    let descriptors: [StageDescriptor]
    let file: String
  }

  func pages(of kind: StageInformation) -> [SitePage] {
    let groups = groups(of: kind)
    return [page(of: kind, groups)] + groups.map { page(of: $0, in: kind) }
  }

  /// The kind's implementations by the groups that words are written for; what is in none, such as
  /// what others have added, is a group of its own.
  private func groups(of kind: StageInformation) -> [Shown] {
    let words = SiteWords.kinds[kind.key.rawValue]?.groups ?? []
    var rest = kind.descriptors
    var shown: [Shown] = []
    func take(_ group: SiteWords.Group, _ belongs: (StageDescriptor) -> Bool) {
      let members = rest.filter(belongs)
      guard !members.isEmpty else { return }
      rest.removeAll(where: belongs)
      let file = "stage-\(HTML.slug(kind.key.rawValue))-\(group.slug).html"
      shown.append(Shown(words: group, descriptors: members, file: file))
    }
    for group in words {
      take(group) { descriptor in
        descriptor.origin == .builtIn
          && (group.names.contains(descriptor.name)
            || descriptor.kernel?.packing.map(group.names.contains) == true)
      }
    }
    let name = kind.stage.prefix(1).uppercased() + kind.stage.dropFirst()
    let title = words.isEmpty ? "\(name)s, one by one" : "More \(kind.stage)s"
    let others = SiteWords.Group("more", title, [], about: "")
    take(others) { _ in true }
    return shown
  }

  private func page(of kind: StageInformation, _ groups: [Shown]) -> SitePage {
    let words = SiteWords.kinds[kind.key.rawValue]
    let title = kind.stage.prefix(1).uppercased() + kind.stage.dropFirst()
    var body = "<h1>\(HTML.text(title))</h1>\n"
    body += "<p class=\"lead\">\(HTML.prose(words?.brief ?? kind.help))</p>\n"
    if let words {
      if !words.formula.isEmpty { body += HTML.formula(words.formula) }
      body += HTML.paragraphs(words.about)
      body += figure(words.figure)
    }
    body += "<h2>How it is chosen</h2>\n" + HTML.facts(chosen(kind))
    if let words, !words.choosing.isEmpty {
      body += "<h2>When to choose what</h2>\n" + HTML.paragraphs(words.choosing)
    }
    body += "<h2>What there is</h2>\n"
    for group in groups {
      if groups.count > 1 {
        body += "<h3><a href=\"\(group.file)\">\(HTML.text(group.words.title))</a></h3>\n"
      }
      body += HTML.table(
        ["name", "what it does"],
        group.descriptors.map { descriptor in
          let address = "\(group.file)#\(HTML.slug(descriptor.name))"
          return [
            "<a href=\"\(address)\"><code>\(HTML.text(descriptor.name))</code></a>",
            HTML.prose(descriptor.summary) + away(descriptor),
          ]
        })
    }
    if let words, !words.laws.isEmpty {
      body +=
        "<h2>Laws</h2>\n<p>A checker proves every implementation, the lab's own and yours.</p>\n<ul>\n"
      body += words.laws.map { "<li>\(HTML.prose($0))</li>\n" }.joined() + "</ul>\n"
    }
    return SitePage(
      file: Self.file(of: kind.key), title: title, body: body, parent: "index.html#stages")
  }

  /// How a kind is chosen in flags and files.
  private func chosen(_ kind: StageInformation) -> [(name: String, value: String)] {
    let key = HTML.text(kind.key.rawValue)
    func code(_ text: String) -> String { "<code>\(HTML.text(text))</code>" }
    var facts: [(name: String, value: String)] = []
    switch kind.scope {
    case .layer, .model:
      facts.append(
        (
          "flag",
          (kind.flags.map(code) + [code("--\(kind.key.rawValue) NAME:parameter=value")]).joined(
            separator: ", ")
        ))
      facts.append(
        ("in experiments", code("\(key): NAME") + ", or a list of names under " + code("sweep:")))
    case .sampling:
      facts.append(("flag", code("trit generate --samplers NAME,NAME:parameter=value")))
      facts.append(("in experiments", "in the list " + code("sampler:")))
    case .experiment:
      facts.append(
        (
          "in experiments",
          key == "figure" ? code("plots: [NAME]") : code("measure: {NAME: {setting: value}}")
        ))
    }
    if let standard = kind.standard {
      facts.append(("where nobody chooses", code(standard.description)))
    } else if kind.isLeftToModels {
      facts.append(
        (
          "where nobody chooses",
          "what the model was trained with: " + code(StageKey.asTheModelSays)
        ))
    }
    facts.append(("in a terminal", code("trit list \(key)")))
    return facts
  }

  private func page(of group: Shown, in kind: StageInformation) -> SitePage {
    let kindFile = Self.file(of: kind.key)
    var body = "<p class=\"path\"><a href=\"\(kindFile)\">\(HTML.text(kind.stage))</a></p>\n"
    body += "<h1>\(HTML.text(group.words.title))</h1>\n"
    if !group.words.formula.isEmpty { body += HTML.formula(group.words.formula) }
    body += HTML.paragraphs(group.words.about) + figure(group.words.figure)
    body += SiteDrawing.drawing(of: group.descriptors, kind: kind, lab: lab)
    if !group.words.choosing.isEmpty {
      body += "<h2>When to choose it</h2>\n" + HTML.paragraphs(group.words.choosing)
    }
    body += "<h2>Implementations</h2>\n"
    body += group.descriptors.map { section($0, kind) }.joined()
    return SitePage(
      file: group.file, title: "\(group.words.title), \(kind.stage)", body: body, parent: kindFile)
  }

  private func figure(_ figure: SiteWords.Picture?) -> String {
    figure.flatMap { figures.contains($0.name) ? HTML.figure($0.name, $0.caption) : nil } ?? ""
  }

  private func away(_ descriptor: StageDescriptor) -> String {
    descriptor.unavailable == nil ? "" : " <span class=\"away\">not on this machine</span>"
  }

  /// One implementation with all that its descriptor says.
  private func section(_ descriptor: StageDescriptor, _ kind: StageInformation) -> String {
    var facts: [(name: String, value: String)] = []
    if !descriptor.aliases.isEmpty {
      facts.append(
        ("also", descriptor.aliases.map { "<code>\(HTML.text($0))</code>" }.joined(separator: ", "))
      )
    }
    if !descriptor.source.isEmpty { facts.append(("source", HTML.prose(descriptor.source))) }
    if !descriptor.accepts.isEmpty { facts.append(("takes", HTML.prose(descriptor.accepts))) }
    if !descriptor.gives.isEmpty { facts.append(("gives", HTML.prose(descriptor.gives))) }
    if kind.scope != .experiment {
      facts.append(("exactness", HTML.prose(descriptor.exactness.text)))
    }
    if !descriptor.instructionSets.isEmpty {
      facts.append(("needs", HTML.text(descriptor.instructionSets.joined(separator: ", "))))
    }
    if let reason = descriptor.unavailable { facts.append(("not here", HTML.prose(reason))) }
    if descriptor.origin != .builtIn { facts.append(("from", HTML.prose(descriptor.origin.text))) }
    var section = "<section class=\"one\" id=\"\(HTML.slug(descriptor.name))\">\n"
    section += "<h3><code>\(HTML.text(descriptor.name))</code>\(away(descriptor))</h3>\n"
    section += "<p>\(HTML.prose(descriptor.summary))</p>\n" + HTML.facts(facts)
    if !descriptor.parameters.isEmpty {
      section += HTML.table(
        [kind.scope == .experiment ? "setting" : "parameter", "what it does", "values", "default"],
        descriptor.parameters.map { parameter in
          [
            "<code>\(HTML.text(parameter.name))</code>", HTML.prose(parameter.summary),
            HTML.text(parameter.domainText), HTML.text(parameter.defaultValue.description),
          ]
        })
    }
    if kind.key == .figure, figures.contains(descriptor.name) {
      section += HTML.figure(descriptor.name, descriptor.summary)
    }
    return section + "</section>\n"
  }
}
