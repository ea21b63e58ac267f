"""The small world of the workshop data: ten places, their people, their things, and what the things do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """A thing and its facts."""

    name: str
    use: str  # third person: "gathers leaves"
    plain: str  # infinitive: "gather leaves"
    material: str
    place: str
    person: str

    @property
    def a(self) -> str:
        """The name with its article."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"


# place: (person, [(thing, "verb object", material)])
_PLACES = {
    "garden": ("gardener", [("rake", "gather leaves", "wood"), ("spade", "turn soil", "iron"), ("hose", "water roses", "rubber"),
        ("trellis", "hold vines", "wood"), ("sickle", "cut grass", "steel"), ("trowel", "plant bulbs", "iron"),
        ("sieve", "sort seeds", "wire"), ("wheelbarrow", "move earth", "wood")]),
    "kitchen": ("cook", [("kettle", "boil water", "copper"), ("ladle", "serve soup", "steel"), ("whisk", "beat eggs", "wire"),
        ("grater", "shred cheese", "steel"), ("skillet", "fry onions", "iron"), ("peeler", "peel carrots", "steel"),
        ("mortar", "crush spices", "stone"), ("colander", "drain noodles", "tin")]),
    "harbor": ("sailor", [("anchor", "hold ships", "iron"), ("rope", "tie boats", "hemp"), ("sail", "catch wind", "canvas"),
        ("rudder", "steer ferries", "oak"), ("net", "trap fish", "hemp"), ("crane", "lift cargo", "steel"),
        ("buoy", "mark channels", "cork"), ("compass", "show north", "brass")]),
    "library": ("librarian", [("shelf", "carry books", "oak"), ("stamp", "mark dates", "rubber"), ("ladder", "reach maps", "wood"),
        ("lamp", "light pages", "brass"), ("index", "find titles", "paper"), ("lens", "enlarge letters", "glass"),
        ("folder", "protect papers", "card"), ("bell", "call readers", "bronze")]),
    "stable": ("groom", [("saddle", "seat riders", "leather"), ("bridle", "guide horses", "leather"), ("brush", "clean manes", "bristle"),
        ("bucket", "bring oats", "tin"), ("fork", "lift hay", "iron"), ("blanket", "warm ponies", "wool"),
        ("hoofpick", "clear hooves", "steel"), ("lantern", "light stalls", "tin")]),
    "bakery": ("baker", [("oven", "bake bread", "brick"), ("mixer", "knead dough", "steel"), ("scale", "weigh flour", "brass"),
        ("rack", "cool rolls", "wire"), ("pin", "flatten pastry", "wood"), ("cutter", "shape biscuits", "tin"),
        ("tray", "carry buns", "tin"), ("timer", "measure minutes", "plastic")]),
    "forge": ("smith", [("hammer", "shape nails", "steel"), ("anvil", "support metal", "iron"), ("pump", "feed fire", "leather"),
        ("vise", "grip rods", "iron"), ("chisel", "split bars", "steel"), ("file", "smooth edges", "steel"),
        ("furnace", "melt ore", "brick"), ("trough", "cool blades", "stone")]),
    "orchard": ("picker", [("basket", "collect apples", "willow"), ("pruner", "trim branches", "steel"), ("press", "squeeze cider", "oak"),
        ("crate", "store pears", "wood"), ("smoker", "calm bees", "tin"), ("cart", "haul plums", "wood"),
        ("fence", "stop deer", "wire"), ("stake", "prop saplings", "bamboo")]),
    "school": ("teacher", [("crayon", "write sums", "wax"), ("globe", "show countries", "paper"), ("ruler", "draw lines", "plastic"),
        ("easel", "display drawings", "wood"), ("abacus", "count beads", "wood"), ("projector", "show films", "plastic"),
        ("notebook", "keep notes", "paper"), ("eraser", "remove mistakes", "rubber")]),
    "studio": ("tailor", [("needle", "sew seams", "steel"), ("loom", "weave cloth", "wood"), ("slicer", "cut silk", "steel"),
        ("thimble", "guard fingers", "silver"), ("spindle", "spin wool", "wood"), ("button", "close coats", "bone"),
        ("flatiron", "smooth shirts", "steel"), ("mannequin", "display gowns", "plaster")]),
}  # fmt: skip


def _third(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z")) else "s")


def _thing(name: str, use: str, material: str, place: str, person: str) -> Thing:
    verb, object_ = use.split(" ", 1)
    return Thing(name, f"{_third(verb)} {object_}", use, material, place, person)


PLACES: dict[str, list[Thing]] = {
    place: [_thing(name, use, material, place, person) for name, use, material in things] for place, (person, things) in _PLACES.items()
}
THINGS: list[Thing] = [thing for things in PLACES.values() for thing in things]
OWNERS = ("Anna", "Boris", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas")
COLORS = ("red", "blue", "green", "white", "black", "yellow")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
