from calibration.stimuli import Item, Only
from tests.calibration.sets.small_set import SmallSet


def test_some_items_of_a_set_keep_its_order_and_what_it_knows_of_them():
    whole = SmallSet()
    some = Only(whole, [Item("house", "02"), Item("face", "01"), Item("dragon", "00")])
    assert some.items == (Item("face", "01"), Item("house", "02"))
    assert some.colour_label(Item("house", "02")) == whole.colour_label(Item("house", "02"))
    assert (some.picture(Item("face", "01")) == whole.picture(Item("face", "01"))).all()
