"""Who runs when: rounds in which all take turns, so that a change of the machine meets all of them."""


def turn(contestants, round_number):
    """The order of one round: another one begins each time, and every second round goes backwards."""
    if not contestants:
        return []
    start = round_number % len(contestants)
    order = contestants[start:] + contestants[:start]
    return order[::-1] if round_number % 2 else order


def steps(contestants, tests, round_number, whole=True):
    """The measurements of a round: test by test, so that the figures of one column are close in time."""
    order = turn(list(contestants), round_number)
    return [(test, one) for test in tests for one in order if one.runs(test, whole)]


def estimate(plan, walls):
    """Seconds that `plan` takes, from what each measurement took last time; 0 for those never made."""
    return sum(walls.get((one.name, test.name), 0) for test, one in plan)


def next_round(contestants, tests, round_number, rounds, left, walls):
    """The measurements of the next round, or None where the race is over.

    The first round is whole and always runs. After it whole rounds and rounds of the first tier take turns, and the
    race ends after `rounds` or where not even the smaller round fits into the `left` seconds.
    """
    if round_number >= rounds:
        return None
    plans = [steps(contestants, tests, round_number, whole=False)]
    if round_number % 2 == 0:
        plans.insert(0, steps(contestants, tests, round_number))
    if round_number == 0:
        return plans[0] or None
    for plan in plans:
        if plan and estimate(plan, walls) <= left:
            return plan
    return None
