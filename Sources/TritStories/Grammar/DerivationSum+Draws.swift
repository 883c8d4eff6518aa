extension DerivationSum {
  /// What a slot names, for all particles alike.
  enum Binding: Hashable {
    /// Something that the plot's own code put there.
    case fixed(Entity)
    /// A draw, by its place in `draws`.
    case draw(Int)
  }

  /// Something drawn into a slot and told later, if ever.
  enum OpenDraw {
    /// One of some entities. Its option, and that of its adjective where it has some, are values;
    /// `excluded` are the values of draws whose options it leaves out.
    case entity([Entity], WeightTable, value: Int, adjectives: WordClass?, excluded: [Int])
    /// A character: its sex, which splits particles at once, its name and its kind are values in
    /// this order.
    case character(isAnimal: Bool, value: Int)

    /// What tells draws apart: the memory of the options, which are the grammar's own and stay.
    struct Identity: Hashable {
      let options: UnsafeRawPointer?
      let count: Int
      let adjectives: Int
      let excluded: [Int]
    }

    var identity: Identity {
      switch self {
      case .entity(let options, let table, _, let adjectives, let excluded):
        Identity(
          options: options.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress) },
          count: table.weights.count, adjectives: adjectives?.words.count ?? 0, excluded: excluded)
      case .character(let isAnimal, _):
        Identity(options: nil, count: isAnimal ? 1 : 0, adjectives: 0, excluded: [])
      }
    }
  }

  /// What a plot gets when it looks at a slot: something it can put into another one.
  subscript(slot: Slot) -> Entity {
    get {
      var entity = Entity()
      if case .draw(let index) = bindings[Int(slot.rawValue)],
        case .character(isAnimal: false, _) = draws[index]
      {
        // Plots ask whether a character is a child.
        entity.kind = "girl"
      } else if case .fixed(let value) = bindings[Int(slot.rawValue)] {
        entity = value
      }
      entity.slot = slot
      return entity
    }
    set {
      setWord(slot, from: newValue.slot)
      bindings[Int(slot.rawValue)] =
        newValue.slot.map { bindings[Int($0.rawValue)] } ?? .fixed(newValue)
    }
  }

  /// Draws one of `options` into `slot`, but none that the draws in the `other` slots have taken.
  func draw(_ options: [Entity], _ table: WeightTable, into slot: Slot, not other: [Slot]) {
    add(.entity(options, table, value: valueCount, adjectives: nil, excluded: values(other)), slot)
    open(1)
  }

  /// Draws a noun of the group, and an adjective where it has some.
  func take(_ group: NounGroup, into slot: Slot, not other: [Slot]) {
    let adjectives = group.adjectives.words.isEmpty ? nil : group.adjectives
    add(
      .entity(
        group.nouns, group.table, value: valueCount, adjectives: adjectives,
        excluded: values(other)), slot)
    open(adjectives == nil ? 1 : 2)
  }

  /// Casts a character.
  func cast(_ slot: Slot, isAnimal: Bool) {
    add(.character(isAnimal: isAnimal, value: valueCount), slot)
    split([0.5, 0.5])
    open(2)
  }

  private func add(_ draw: OpenDraw, _ slot: Slot) {
    setWord(slot, from: nil)
    bindings[Int(slot.rawValue)] = .draw(draws.count)
    draws.append(draw)
  }

  private func values(_ slots: [Slot]) -> [Int] {
    slots.map { slot in
      guard case .draw(let index) = bindings[Int(slot.rawValue)],
        case .entity(_, _, let value, _, _) = draws[index]
      else { preconditionFailure("only what was drawn from the same options can be left out") }
      return value
    }
  }

  // MARK: Telling

  /// The particles that tell `slot` in the form `field` as the text does.
  func tell(_ slot: Slot, _ field: Field, _ particle: Particle) -> [Particle] {
    if let (number, index) = particle.words[Int(slot.rawValue)].place {
      let entity = Entity.word(Self.classes[number].words[index])
      return told(field.render(entity), particle)
    }
    switch bindings[Int(slot.rawValue)] {
    case .fixed(let entity): return told(field.render(entity), particle)
    case .draw(let index):
      switch draws[index] {
      case .entity(let options, _, let value, let adjectives, _):
        guard field == .full, let adjectives else {
          return told(options, field, value, particle)
        }
        return (0..<adjectives.words.count).flatMap { adjective -> [Particle] in
          guard particle.values[value + 1] < 0 || particle.values[value + 1] == adjective else {
            return []
          }
          var particle = particle
          guard write(adjectives.words[adjective] + " ", &particle) else { return [] }
          particle.values[value + 1] = Int16(adjective)
          return told(options, .plain, value, particle)
        }
      case .character(let isAnimal, let value):
        return character(isAnimal, value, field, particle)
      }
    }
  }

  private static let classes = Lexicon.classes.values.sorted { $0.number < $1.number }

  private func told(_ string: String, _ particle: Particle) -> [Particle] {
    var particle = particle
    return write(string, &particle) ? [particle] : []
  }

  private func told(_ options: [Entity], _ field: Field, _ value: Int, _ particle: Particle)
    -> [Particle]
  {
    if particle.values[value] >= 0 {
      return told(field.render(options[Int(particle.values[value])]), particle)
    }
    return options.indices.flatMap { option -> [Particle] in
      guard let place = matched(field.render(options[option]), particle) else { return [] }
      var particle = particle
      (particle.offset, particle.writer) = place
      particle.values[value] = Int16(option)
      return [particle]
    }
  }

  /// Name and kind of a character are told by themselves, pronouns by the sex.
  private func character(_ isAnimal: Bool, _ value: Int, _ field: Field, _ particle: Particle)
    -> [Particle]
  {
    let isMale = particle.values[value] == 0
    let kinds = isAnimal ? Lexicon.animals.nouns.map { Entity.word($0.word) } : []
    let kind = { (particle: Particle) -> [Particle] in
      isAnimal
        ? self.told(kinds, .plain, value + 2, particle)
        : self.told(isMale ? "boy" : "girl", particle)
    }
    let name = { (particle: Particle) -> [Particle] in
      let words = Self.names(isAnimal: isAnimal, isMale: isMale).words
      return self.told(words.map(Entity.word), .plain, value + 1, particle)
    }
    switch field {
    case .he, .him, .his, .himself:
      var entity = Entity()
      entity.isMale = isMale
      return told(field.render(entity), particle)
    case .kind: return kind(particle)
    case .plain, .full: return name(particle)
    case .many: return [particle]
    case .the: return told("the ", particle).flatMap(name)
    case .to: return told("to the ", particle).flatMap(name)
    case .at: return kind(particle).flatMap { self.told(" the ", $0) }.flatMap(name)
    }
  }

  static func names(isAnimal: Bool, isMale: Bool) -> WordClass {
    if isAnimal { return isMale ? Lexicon.maleAnimals : Lexicon.femaleAnimals }
    return isMale ? Lexicon.boys : Lexicon.girls
  }
}

// MARK: - What is open at the end

extension DerivationSum {
  /// One draw, told or open, and the earlier ones whose options it leaves out.
  struct Factor {
    let weights: [Double]
    let total: Double
    let value: Int16
    /// Places of other factors.
    let excluded: [Int]
  }

  /// The probability that the draws took the options that `particle` has told, summed over those of
  /// all others.
  func openProbability(_ particle: Particle) -> Double {
    var factors: [Factor] = []
    /// Factors by value.
    var places: [Int: Int] = [:]
    /// Characters so far: whose names come from which list, and their kinds.
    var names: [(isAnimal: Bool, isMale: Bool, place: Int)] = []
    var kinds: [Int] = []
    var result = 1.0
    for draw in draws {
      switch draw {
      case .entity(_, let table, let value, let adjectives, let excluded):
        if let adjectives, particle.values[value + 1] >= 0 {
          result *=
            adjectives.table.weights[Int(particle.values[value + 1])] / adjectives.table.total
        }
        places[value] = factors.count
        factors.append(
          Factor(
            weights: table.weights, total: table.total, value: particle.values[value],
            excluded: excluded.compactMap { places[$0] }))
      case .character(let isAnimal, let value):
        let isMale = particle.values[value] == 0
        let table = Self.names(isAnimal: isAnimal, isMale: isMale).table
        let before = names.filter { $0.isAnimal == isAnimal && $0.isMale == isMale }.map(\.place)
        names.append((isAnimal, isMale, factors.count))
        factors.append(
          Factor(
            weights: table.weights, total: table.total, value: particle.values[value + 1],
            excluded: before))
        guard isAnimal else { continue }
        let animals = Lexicon.animals.table
        factors.append(
          Factor(
            weights: animals.weights, total: animals.total, value: particle.values[value + 2],
            excluded: kinds))
        kinds.append(factors.count - 1)
      }
    }
    return result * Self.probability(factors)
  }

  /// Sums over the options of open factors, one connected set after the other.
  static func probability(_ factors: [Factor]) -> Double {
    // What is open and constrains nothing that matters sums to 1.
    var matters = factors.map { $0.value >= 0 }
    for place in factors.indices.reversed() where matters[place] {
      for other in factors[place].excluded { matters[other] = true }
    }
    // Sets of factors that exclusions connect, by the place of the first.
    var first = Array(factors.indices)
    for place in factors.indices where matters[place] {
      for other in factors[place].excluded {
        let (a, b) = (first[place], first[other])
        for index in first.indices where first[index] == max(a, b) { first[index] = min(a, b) }
      }
    }
    var result = 1.0
    for start in factors.indices where first[start] == start && matters[start] {
      let members = factors.indices.filter { first[$0] == start && matters[$0] }
      var taken = factors.map(\.value)
      result *= sum(factors, members[...], &taken)
    }
    return result
  }

  private static func sum(_ factors: [Factor], _ members: ArraySlice<Int>, _ taken: inout [Int16])
    -> Double
  {
    guard let place = members.first else { return 1 }
    let factor = factors[place]
    var total = factor.total
    for other in factor.excluded { total -= factor.weights[Int(taken[other])] }
    let excluded = factor.excluded.map { taken[$0] }
    if factor.value >= 0 {
      guard !excluded.contains(factor.value) else { return 0 }
      return factor.weights[Int(factor.value)] / total
        * sum(factors, members.dropFirst(), &taken)
    }
    var result = 0.0
    for option in factor.weights.indices where !excluded.contains(Int16(option)) {
      taken[place] = Int16(option)
      result += factor.weights[option] / total * sum(factors, members.dropFirst(), &taken)
    }
    taken[place] = -1
    return result
  }
}
