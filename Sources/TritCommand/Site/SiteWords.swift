/// What the lab's own kinds of stages are, in words: what descriptors do not say. A test holds that
/// every name in here is one of the lab's, and that the lab has no kind without words.
package enum SiteWords {
  /// A figure of the folder `figures`, with its caption.
  package struct Picture: Sendable {
    /// The file's name without its ending.
    package let name: String
    let caption: String

    init(_ name: String, _ caption: String) {
      self.name = name
      self.caption = caption
    }
  }

  /// Implementations that share a formula.
  package struct Group: Sendable {
    /// What it is called in addresses.
    let slug: String
    let title: String
    /// Names of implementations; of kernels also the packings that they are of.
    package let names: [String]
    let formula: String
    /// Paragraphs, with a blank line between them.
    let about: String
    let choosing: String
    package let figure: Picture?

    init(
      _ slug: String, _ title: String, _ names: [String], formula: String = "", about: String,
      choosing: String = "", figure: Picture? = nil
    ) {
      self.slug = slug
      self.title = title
      self.names = names
      self.formula = formula
      self.about = about
      self.choosing = choosing
      self.figure = figure
    }
  }

  /// A kind of stage.
  package struct Kind: Sendable {
    /// One sentence.
    let brief: String
    let formula: String
    let about: String
    let choosing: String
    let laws: [String]
    package let groups: [Group]
    package let figure: Picture?

    init(
      _ brief: String, formula: String = "", about: String, choosing: String = "",
      laws: [String] = [], groups: [Group] = [], figure: Picture? = nil
    ) {
      self.brief = brief
      self.formula = formula
      self.about = about
      self.choosing = choosing
      self.laws = laws
      self.groups = groups
      self.figure = figure
    }
  }

  /// By the key of the kind.
  package static let kinds: [String: Kind] = [
    "quantizer": quantizer, "activations": activations, "packing": packing, "kernel": kernel,
    "attention": attention, "cache": cache, "head": head, "processor": processor,
    "sampler": sampler, "measure": measure, "figure": figure,
  ]
}
