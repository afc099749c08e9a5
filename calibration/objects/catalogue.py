"""Which objects there are, and what each of them may be used for."""

_NAMES = """
face house car chair dog bird cup guitar shoe tree airplane apple
banana bed bicycle boat book bottle butterfly cactus cake camera candle carrot
castle clock crab donut door drum elephant fan fish flower fork giraffe
glasses globe grapes hammer hat helicopter icecream kettle key ladder lamp mushroom
pan piano pineapple rabbit ring robot rocket saw scissors snail snowman sofa
spider spoon table telephone television train trophy trousers turtle umbrella windmill wineglass
"""
CATEGORIES: tuple[str, ...] = tuple(_NAMES.split())
N_OBJECTS = 10

# Everything that learns from the objects learns from these, is selected on one, and never opens the last two.
TRAINING = range(7)
SELECTION = range(7, 8)
HELD_OUT = range(8, 10)
