extension Lexicon {
  /// The classes that templates draw plain words from, by name.
  static let classes: [String: WordClass] = {
    var classes = listing
    for (number, name) in listing.keys.sorted().enumerated() { classes[name]?.number = number }
    return classes
  }()

  private static let listing: [String: WordClass] = [
    "nice": WordClass(
      """
      nice, lovely, beautiful, sunny, bright, fine, warm, quiet, clear, cool, windy, cloudy,
      golden, breezy, misty, chilly, gentle, fresh, crisp
      """),
    "time": WordClass("day, morning, afternoon, evening"),
    "season": WordClass("summer, spring, winter, autumn"),
    "weekday": WordClass(
      """
      Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday
      """),
    "trait": WordClass(
      """
      kind, brave, funny, clever, shy, happy, curious, gentle, busy, careful, cheerful, friendly,
      quiet, loyal, playful, polite, helpful, patient, stubborn, proud, lively, thoughtful, bold,
      silly, dreamy, generous, noisy, sleepy, calm, modest, merry, fearless, forgetful, messy,
      nosy, daring, timid, tidy, creative, sensible, sincere, serious, jolly, hasty, lazy, wise,
      eager
      """),
    "size": WordClass(
      """
      little, small, big, tiny, young, tall, thin, plump, skinny, chubby, slim
      """),
    "color": WordClass(
      """
      red, blue, green, yellow, white, black, orange, purple, pink, brown, gray, golden, silver,
      crimson, violet, scarlet, turquoise, spotted, striped, pale, dark, colorful, bronze
      """),
    "happy": WordClass(
      """
      happy, glad, proud, excited, cheerful, delighted, joyful, pleased, thrilled, thankful
      """),
    "sad": WordClass(
      """
      sad, unhappy, upset, gloomy, heartbroken, disappointed, lonely, miserable
      """),
    "angry": WordClass("angry, mad, cross, furious, grumpy, annoyed"),
    "scared": WordClass(
      """
      scared, afraid, frightened, nervous, worried, terrified, anxious
      """),
    "speech": WordClass(
      """
      said, whispered, declared, murmured, announced, explained, remarked, mumbled
      """),
    "cried": WordClass("cried, shouted, called, yelled, exclaimed, burst out"),
    "softly": WordClass(
      """
      softly, quietly, slowly, gently, kindly, calmly, shyly, politely, patiently, sweetly,
      bravely, thoughtfully
      """),
    "quickly": WordClass(
      """
      quickly, fast, at once, right away, happily, eagerly, in a hurry, cheerfully, without \
      waiting
      """
    ),
    "carefully": WordClass("carefully, slowly, patiently, gently, neatly, quietly"),
    "walked": WordClass(
      """
      walked, ran, went, hurried, skipped, strolled, marched, raced, wandered, rushed, hiked
      """),
    "looked": WordClass("looked, searched, peeked, checked, hunted"),
    "very": WordClass("very, so, really, quite, truly"),
    "play": WordClass(
      """
      play tag, climb trees, sing songs, draw pictures, tell stories, chase butterflies, dance,
      swim, read books, collect stones, splash in puddles, fly kites, pick flowers, ride a bike,
      count clouds, jump over logs, look at the stars, feed the ducks, make paper boats,
      play hide and seek, paint, watch the birds, listen to the rain, build towers,
      roll down the hill, dig holes, solve riddles, bake bread, catch fireflies, skip stones,
      play chess, write poems, juggle, whistle tunes, invent games, knit, learn magic tricks,
      plant trees, catch frogs, sail toy boats, make masks, look for shells, race snails,
      draw maps, braid grass, balance on walls, play marbles, hunt for treasure
      """),
    "wow": WordClass(
      """
      Wow, Oh, Look, Hooray, My goodness, Yes, Oh my, Goody, How wonderful
      """),
    "oops": WordClass("Oh no, Oh dear, Help, Uh oh, Stop, Wait, Goodness"),
    "animal": WordClass(
      """
      dog, cat, bird, cow, sheep, horse, pig, goose, rooster, swan, crow, robin, wolf, lion,
      elephant, monkey, tiger, zebra, giraffe, whale, dolphin, penguin, parrot, camel, kangaroo,
      peacock, llama, seal, buffalo, hamster, chicken, gorilla, ostrich, salmon, weasel, moose,
      panther, eagle, falcon, gull, heron, lobster, mule, stork, walrus
      """),
    "clothes": WordClass(
      """
      hat, jacket, sweater, scarf, raincoat, backpack, cap, coat, shirt, ribbon, apron, vest,
      belt, pair of boots, pair of glasses, pair of gloves, necklace, hood
      """),
    "smile": WordClass(
      """
      smiled, laughed, nodded, grinned, clapped, giggled, jumped for joy, danced around, waved,
      took a deep breath, looked up, blushed, winked, hummed a tune
      """),
    "frown": WordClass(
      """
      sighed, frowned, looked down, shook all over, began to cry, sat down, bit a nail,
      stood still, turned pale, sniffed, stamped one foot, hid behind a tree, covered both eyes,
      swallowed hard
      """),
    "thought": WordClass(
      """
      thought for a moment, thought about it, scratched one ear, looked around, waited a little,
      closed both eyes, counted to ten, did not answer at first, smiled, listened, nodded slowly,
      had an idea, made a plan, looked at the sky, rubbed both hands, leaned forward,
      whistled softly, tilted one ear, stood very still, took a sip of water, took a step back
      """),
    "soon": WordClass(
      """
      soon, after a while, a little later, before long, after lunch, an hour later,
      when the clock struck, at last, by noon, the next day, after a long time, just then,
      at that moment, suddenly
      """),
    "good": WordClass(
      "good, fine, great, wonderful, perfect, splendid, excellent, super, lovely, marvelous"),
    "hard": WordClass("hard, difficult, tricky, slow, tiring, rough, tough"),
    "via": WordClass(
      """
      over, across, past, around, behind, along, through, near, beyond, toward, under, beside
      """),
    "look": WordClass(
      """
      old, small, narrow, wide, wooden, muddy, steep, quiet, dusty, empty, crooked, new, tall,
      little, broken, mossy, busy, cozy, sunny, painted, famous, shady, stony, secret, round,
      white, lonely, pretty, grand, plain, hidden, ancient, cheerful, neat, low
      """),
    "landmark": WordClass(
      """
      bridge, mill, church, school, well, barn, tower, fountain, gate, garden, pond, market,
      statue, hedge, square, station, bakery, library, farm, lighthouse, shop, castle, stable,
      harbor, windmill, museum, theater, inn, meadow, orchard, ruin, workshop
      """),
    "being": WordClass(
      """
      dragon, giant, wizard, pirate, king, queen, knight, fairy, elf, robot, clown, dancer,
      captain, princess, ghost, sailor, magician, snowman, mermaid, inventor, painter, drummer,
      prince, astronaut, gnome
      """),
    "mood": WordClass(
      """
      friendly, tiny, sleepy, brave, noisy, grumpy, cheerful, polite, nervous, hungry, wise,
      lazy, shy, proud, dizzy, merry, silly, gentle, angry, busy, happy, lonely, tired, curious,
      clumsy, jolly, worried, dreamy
      """),
    "belonging": WordClass(
      """
      trumpet, hat, umbrella, lantern, drum, crown, suitcase, balloon, sword, scarf, telescope,
      key, violin, cape, map, bell, basket, mirror, kite, flag, spoon, pillow, wheel, ladder,
      feather
      """),
    "matter": WordClass(
      """
      chocolate, glass, paper, gold, clouds, ice, feathers, flowers, cheese, stars, wool, silver,
      leaves, candy, shells, honey, marble, bubbles, snow, cardboard
      """),
    "tone": WordClass(
      """
      loud, soft, strange, deep, low, sad, warm, small, gentle, tiny, funny, shy, bright,
      friendly, sudden, thin, dry, odd, nice, proud
      """),
    "noise": WordClass(
      """
      song, bell, whisper, squeak, rustle, knock, howl, laugh, buzz, click, growl, cough, giggle,
      sneeze, chime, hiss, roar, hum, whistle, snore, tune, drumming, call, yawn
      """),
    "crash": WordClass(
      """
      bang, crash, splash, thump, crack, snap, clatter, rumble, bump, pop, squeak, groan, crunch,
      thud, smash
      """),
    "flavor": WordClass(
      """
      hot, warm, sweet, spicy, fresh, salty, creamy, cold, crispy, golden, sour, tasty, leftover,
      buttery, homemade, roasted, fried, baked, plain, delicious
      """),
    "dish": WordClass(
      """
      soup, rice, noodles, potatoes, pancakes, fish, pie, toast, beans, porridge, salad, cheese,
      stew, dumplings, corn, bread, eggs, lentils, waffles, mushrooms, spinach, peas, chicken,
      yogurt, apples, tomatoes, biscuits, carrots, cabbage, pumpkin, pasta, meatballs
      """),
    "tree": WordClass(
      """
      oak, tree, willow, pine, birch, apple tree, maple tree, chestnut tree, cherry tree, log,
      beech, elm, fir
      """),
    "bird": WordClass(
      """
      robin, blackbird, sparrow, lark, finch, swallow, cuckoo, nightingale, thrush, starling,
      goose, crow
      """),
    "wonder": WordClass(
      """
      the moon, flying over the sea, a castle in the clouds, a land of candy,
      a garden full of stars, an island of music, a train to the sky, a river of lemonade,
      a library under the sea, the first day of spring, a star in a jar, winning a medal,
      a house made of cake, a talking tree, a party that never ended, a ship with golden sails
      """),
    "pet": WordClass(
      """
      dog, cat, parrot, pony, goldfish, hamster, rabbit, canary, turtle, kitten, puppy, hen, lamb
      """),
  ]
}
